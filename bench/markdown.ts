import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { type Aim, type Figure, RESULTS, type Results, text } from './report.ts';

/** Writes `bench/results/NAME.md`, for people: what stands in the results of these parts, as far as they are there. */
export function writeMarkdown(name: string, title: string, parts: readonly string[]): string {
  const files = parts.map((part) => new URL(`${name}-${part}.json`, RESULTS));
  const results = files
    .filter((file) => existsSync(file))
    .map((file) => JSON.parse(readFileSync(file, 'utf8')) as Results);
  const file = new URL(`${name}.md`, RESULTS);
  writeFileSync(file, [`# ${title}\n`, ...results.map(sectionOf)].join('\n'));
  return file.pathname;
}

function sectionOf({ title, notes, node, cpu, figures, aims }: Results): string {
  return [
    `## ${title}\n`,
    `${notes.join('\n')}\nNode.js ${node.slice(1)}, ${cpu}.\n`,
    ...tableOf(['case', 'median', '95 % interval', 'unit', 'ratio'], figures.map(figureRow)),
    ...(aims.length === 0
      ? []
      : ['', ...tableOf(['aim', 'measured', 'at most or at least', ''], aims.map(aimRow))]),
    '',
  ].join('\n');
}

function figureRow({ case: name, value, low, high, unit, ratio, ratioTo }: Figure): string[] {
  const interval = low === high ? '' : `${text(low)} to ${text(high)}`;
  return [name, text(value), interval, unit, ratioTo === undefined ? '' : `${text(ratio)} of ${ratioTo}`];
}

function aimRow({ aim, measured, bound, met }: Aim): string[] {
  return [aim, text(measured), text(bound), met ? 'met' : '**not met**'];
}

function tableOf(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)];
}
