import type { Results } from '../results.ts';
import { cellOf } from '../results.ts';
import { fill, svg, text } from './svg.ts';

const LEFT = 220;
const TOP = 130;
const WIDTH = 70;
const HEIGHT = 24;

/** All scenarios by all contenders, the darker the nearer to the oracle. */
export function overviewChart({ scenarios, contenders }: Results): string {
  const names = contenders.map(({ name }) => name).slice(1);
  const marks = scenarios.flatMap((scenario, row) => {
    const y = TOP + row * HEIGHT;
    const cells = names.map((name, column) => {
      const ratio = cellOf(scenario, name)?.ratio.mean;
      return ratio === undefined ? '' : square(LEFT + column * WIDTH, y, ratio);
    });
    return [text(LEFT - 8, y + 16, scenario.title, 'text-anchor="end"'), ...cells];
  });
  const heads = names.map((name, column) => {
    const x = LEFT + column * WIDTH + WIDTH / 2;
    return text(x, TOP - 8, name, `transform="rotate(-35 ${x} ${TOP - 8})"`);
  });
  const width = LEFT + names.length * WIDTH + 60;
  return svg(width, TOP + scenarios.length * HEIGHT + 10, 'Good answers as a ratio to the oracle’s', [
    ...heads,
    ...marks,
  ]);
}

function square(x: number, y: number, ratio: number): string {
  const ink = ratio > 0.6 ? 'fill="#fff"' : '';
  return `<rect x="${x}" y="${y}" width="${WIDTH - 2}" height="${HEIGHT - 2}" fill="${fill(ratio)}"/>${text(x + WIDTH / 2, y + 16, ratio.toFixed(2), `text-anchor="middle" ${ink}`)}`;
}
