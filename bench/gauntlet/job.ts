import { contenders } from './contenders.ts';
import { run } from './run.ts';
import { scenarios } from './scenarios.ts';
import type { Measures } from './tally.ts';

/** One run, by names, so that it can be told to another thread. */
export interface Job {
  readonly scenario: string;
  readonly contender: string;
  readonly seed: number;
  readonly sigma: number;
}

export interface Done {
  readonly job: Job;
  readonly measures: Measures;
  /** What the run took of a core, in ms. */
  readonly cpuMs: number;
}

export async function work(job: Job): Promise<Done> {
  const scenario = find(scenarios, 'scenario', job.scenario);
  const contender = find(contenders, 'contender', job.contender);
  const before = process.threadCpuUsage();
  const measures = await run(scenario, contender, job);
  const { user, system } = process.threadCpuUsage(before);
  return { job, measures, cpuMs: (user + system) / 1_000 };
}

/** The one of that name. @throws RangeError which names those that there are */
export function find<T extends { readonly name: string }>(all: readonly T[], what: string, name: string): T {
  const found = all.find((one) => one.name === name);
  if (found !== undefined) return found;
  throw new RangeError(`--${what} ${name}: there are ${all.map((one) => one.name).join('; ')}`);
}
