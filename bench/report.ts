import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { Estimate } from './statistics.ts';

/** One measured figure, as it stands in `bench/results`. */
export interface Figure {
  readonly case: string;
  readonly value: number;
  readonly unit: string;
  /** The 95 % confidence interval of the value. */
  readonly low: number;
  readonly high: number;
  /** The case that this one is compared with. */
  readonly ratioTo?: string;
  readonly ratio?: number;
}

/** What a figure was wished to be. */
export interface Aim {
  readonly aim: string;
  readonly bound: number;
  readonly measured: number;
  readonly met: boolean;
}

/** What one part of a benchmark found. */
export interface Section {
  readonly title: string;
  /** What has to be known to read the figures. */
  readonly notes: readonly string[];
  readonly figures: readonly Figure[];
  readonly aims: readonly Aim[];
}

/** As they stand in a file. */
export interface Results extends Section {
  readonly name: string;
  readonly node: string;
  readonly cpu: string;
}

export const RESULTS = new URL('./results/', import.meta.url);

export function figure(
  name: string,
  unit: string,
  found: Estimate,
  ratioTo?: string,
  ratio?: number,
): Figure {
  const compared = ratioTo === undefined || ratio === undefined ? {} : { ratioTo, ratio: rounded(ratio) };
  const { median, low, high } = found;
  return { case: name, value: rounded(median), unit, low: rounded(low), high: rounded(high), ...compared };
}

export function atMost(aim: string, bound: number, measured: number): Aim {
  return { aim, bound: rounded(bound), measured: rounded(measured), met: measured <= bound };
}

export function atLeast(aim: string, bound: number, measured: number): Aim {
  return { aim, bound: rounded(bound), measured: rounded(measured), met: measured >= bound };
}

export function printSection({ title, notes, figures, aims }: Section): void {
  console.log(`\n${title}`);
  for (const note of notes) console.log(`  ${note}`);
  printTable(
    ['case', 'median', '95 % interval', 'unit', 'ratio', 'to'],
    figures.map((f) => [
      f.case,
      text(f.value),
      `${text(f.low)} .. ${text(f.high)}`,
      f.unit,
      text(f.ratio),
      f.ratioTo ?? '',
    ]),
  );
  if (aims.length === 0) return;
  printTable(
    ['aim', 'measured', 'bound', ''],
    aims.map(({ aim, measured, bound, met }) => [aim, text(measured), text(bound), met ? 'met' : 'NOT MET']),
  );
}

/** Writes `bench/results/NAME.json`, so that a change can be compared with the last. */
export function writeResults(name: string, { title, notes, figures, aims }: Section): string {
  const file = new URL(`${name}.json`, RESULTS);
  const cpu = `${cpus().length} x ${cpus()[0]?.model ?? 'unknown'}`;
  const results: Results = { name, node: process.version, cpu, title, notes, figures, aims };
  mkdirSync(RESULTS, { recursive: true });
  writeFileSync(file, `${JSON.stringify(results, null, 2)}\n`);
  return file.pathname;
}

function printTable(head: readonly string[], rows: readonly (readonly string[])[]): void {
  const widths = head.map((name, column) =>
    Math.max(name.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]) =>
    `  ${cells.map((cell, i) => (isNumeric(rows[0]?.[i]) ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0))).join('  ')}`.trimEnd();
  console.log(`\n${line(head)}`);
  console.log(`  ${widths.map((width) => '-'.repeat(width)).join('  ')}`);
  for (const row of rows) console.log(line(row));
}

function isNumeric(cell: string | undefined): boolean {
  return cell !== undefined && /^-?[\d.,]+( \.\. |$)/.test(cell);
}

export function text(value: number | undefined): string {
  return value === undefined
    ? ''
    : value.toLocaleString('en', { maximumFractionDigits: digitsAfterPoint(value) });
}

/** Four significant digits are more than any of these figures is good for. */
function rounded(value: number): number {
  return Number(value.toFixed(digitsAfterPoint(value)));
}

function digitsAfterPoint(value: number): number {
  const size = Math.abs(value);
  return size >= 1_000 ? 0 : size >= 20 ? 1 : 4;
}
