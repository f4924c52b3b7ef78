import type { Interval } from '../interval.ts';
import type { Cell } from '../results.ts';

export function share(value: number): string {
  return value.toFixed(3);
}

export function interval({ mean, low, high }: Interval): string {
  return Number.isFinite(low) ? `${share(mean)} ± ${share((high - low) / 2)}` : share(mean);
}

function ms(value: number | null): string {
  return value === null ? '–' : Math.round(value).toLocaleString('en');
}

function recovery({ recoveryMs }: Cell): string {
  return recoveryMs === null ? 'not seen' : `${(recoveryMs / 1_000).toFixed(1)} s`;
}

export const CELL_HEAD = [
  'contender',
  'ratio to the oracle',
  'good',
  'p50 ms',
  'p99 ms',
  'time wasted',
  'extra attempts',
  'refused with room',
  'unsafe',
  'recovery',
] as const;

export function cellRow(cell: Cell): string[] {
  return [
    cell.contender,
    interval(cell.ratio),
    share(cell.goodShare),
    ms(cell.p50),
    ms(cell.p99),
    share(cell.wasted),
    share(cell.extraAttempts),
    share(cell.refusedWithRoom),
    String(cell.unsafe),
    recovery(cell),
  ];
}
