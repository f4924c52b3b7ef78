import { parseArgs } from 'node:util';
import { contenders } from './contenders.ts';
import { FIGURES } from './figures.ts';
import { find, type Job } from './job.ts';
import { WIDE_SIGMA } from './results.ts';
import { scenarios } from './scenarios.ts';

const SEEDS = 5;
const QUICK_SEEDS = 2;

/** What is to be run. */
export interface Plan {
  readonly jobs: readonly Job[];
  readonly seeds: readonly number[];
  readonly threads: number;
  /** Whether it is all of it, and so to be kept. */
  readonly whole: boolean;
}

/** @throws RangeError, TypeError for an option that makes no sense */
export function planOf(args: readonly string[]): Plan {
  const { values } = parseArgs({
    args: [...args],
    options: {
      scenario: { type: 'string', multiple: true },
      contender: { type: 'string', multiple: true },
      seeds: { type: 'string' },
      threads: { type: 'string', default: '2' },
      quick: { type: 'boolean', default: false },
    },
  });
  const { scenario, contender, quick } = values;
  const seeds = seedsOf(values.seeds ?? String(quick ? QUICK_SEEDS : SEEDS));
  const chosen = scenario?.map((name) => find(scenarios, 'scenario', name)) ?? scenarios;
  const others = contender?.map((name) => find(contenders, 'contender', name)) ?? contenders;
  // The oracle is what all are measured by.
  const running = contenders.filter((one, index) => index === 0 || others.includes(one));
  const names = (all: readonly { name: string }[]) => all.map(({ name }) => name);
  const jobs = jobsOf(names(chosen), names(running), seeds, FIGURES.sigma);
  const wide = names(running).filter((name, index) => index === 0 || name.startsWith('healix'));
  return {
    jobs: quick ? jobs : [...jobs, ...jobsOf(names(chosen), wide, seeds, WIDE_SIGMA)],
    seeds,
    threads: Number(values.threads),
    whole: !quick && scenario === undefined && contender === undefined && seeds.length >= SEEDS,
  };
}

/** `5`: seeds 1 to 5. `11-15`, `3,8,13`: these. */
function seedsOf(text: string): number[] {
  const [from, to] = text.split('-').map(Number);
  const seeds = text.includes(',')
    ? text.split(',').map(Number)
    : to === undefined
      ? range(1, from as number)
      : range(from as number, to);
  if (seeds.length > 0 && seeds.every((seed) => Number.isInteger(seed) && seed > 0)) return seeds;
  throw new RangeError(
    `--seeds ${text}: give a number of seeds, a range such as 11-15, or a list such as 3,8,13`,
  );
}

function range(from: number, to: number): number[] {
  return Array.from({ length: Math.max(0, to - from + 1) || 0 }, (_, index) => from + index);
}

function jobsOf(
  scenarioNames: readonly string[],
  contenderNames: readonly string[],
  seeds: readonly number[],
  sigma: number,
): Job[] {
  return scenarioNames.flatMap((scenario) =>
    contenderNames.flatMap((contender) => seeds.map((seed) => ({ scenario, contender, seed, sigma }))),
  );
}
