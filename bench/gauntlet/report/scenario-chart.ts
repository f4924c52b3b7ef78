import type { Cell, ScenarioResult } from '../results.ts';
import { interval } from './format.ts';
import { fill, svg, text } from './svg.ts';

const LEFT = 170;
const SCALE = 380;
const HEIGHT = 24;
const TOP = 34;

/** The contenders of one scenario as bars, with their confidence intervals. */
export function scenarioChart({ title, cells }: ScenarioResult): string {
  const bars = cells.slice(1).map((cell, row) => bar(cell, TOP + row * HEIGHT));
  const height = TOP + (cells.length - 1) * HEIGHT + 8;
  const oracle = `<line x1="${LEFT + SCALE}" x2="${LEFT + SCALE}" y1="${TOP - 6}" y2="${height}" stroke="#666" stroke-dasharray="3 3"/>`;
  const heading = text(8, 20, `${title}: good answers as a ratio to the oracle’s`, 'font-weight="bold"');
  return svg(LEFT + SCALE + 130, height, title, [heading, oracle, ...bars]);
}

function bar({ contender, ratio }: Cell, y: number): string {
  const x = (value: number) => LEFT + Math.max(0, Math.min(1.05, value)) * SCALE;
  const middle = y + HEIGHT / 2 - 1;
  return [
    text(LEFT - 8, y + 16, contender, 'text-anchor="end"'),
    `<rect x="${LEFT}" y="${y + 3}" width="${(x(ratio.mean) - LEFT).toFixed(1)}" height="${HEIGHT - 8}" fill="${fill(ratio.mean)}"/>`,
    `<line x1="${x(ratio.low).toFixed(1)}" x2="${x(ratio.high).toFixed(1)}" y1="${middle}" y2="${middle}" stroke="#222" stroke-width="1.5"/>`,
    text(LEFT + SCALE + 26, y + 16, interval(ratio), ''),
  ].join('');
}
