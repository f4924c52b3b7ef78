import { atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf, quantile } from '../statistics.ts';
import { timeOperations } from './operation-times.ts';
import { timeReports } from './report-times.ts';
import { ScriptTimer } from './script-timer.ts';

const MOST_US = 2_000;

/** How long Redis, which does one thing at a time, is held up by each script. */
export async function measureScriptTimes(quick: boolean): Promise<Section> {
  const timer = await ScriptTimer.start(quick ? 2 : 50);
  try {
    const neverSent = await timeReports(timer, quick ? [1, 20] : [1, 20, 100]);
    await timeOperations(timer, quick ? 20 : 1_000);
    return sectionOf(timer, neverSent);
  } finally {
    await timer.stop();
  }
}

function sectionOf({ times, repetitions }: ScriptTimer, neverSent: ReadonlySet<string>): Section {
  const figures: Figure[] = [];
  const medians: number[] = [];
  const longest: number[] = [];
  for (const [name, values] of times) {
    const sorted = Float64Array.from(values).sort();
    const found = estimateOf(values);
    figures.push(
      figure(name, 'µs', found),
      figure(`${name}, longest of ${values.length}`, 'µs', estimateOf([quantile(sorted, 1)])),
    );
    if (neverSent.has(name)) continue;
    medians.push(found.median);
    longest.push(quantile(sorted, 1));
  }
  return {
    title: 'Time of one call of a script in Redis',
    notes: [
      `${repetitions} times each, by the server's own counters (its wall clock: a call that loses the core counts in full).`,
      'Reports as replicas send them: 20 targets a call at most, fewer the more replicas there are; what is in one call',
      'is there to compare, no replica sends it.',
    ],
    figures,
    aims: [
      atMost('any script as replicas call it, highest median in µs', MOST_US, Math.max(...medians)),
      atMost('any script as replicas call it, longest call in µs', MOST_US, Math.max(...longest)),
    ],
  };
}
