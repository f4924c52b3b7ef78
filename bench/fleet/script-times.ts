import { atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf } from '../statistics.ts';
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
  for (const [name, calls] of times) {
    const found = estimateOf(calls.map(({ wall }) => wall));
    const most = Math.max(...calls.map(({ cpu }) => cpu));
    figures.push(
      figure(name, 'µs', found),
      figure(`${name}, longest of ${calls.length}`, 'µs CPU', estimateOf([most])),
    );
    if (neverSent.has(name)) continue;
    medians.push(found.median);
    longest.push(most);
  }
  return {
    title: 'Time of one call of a script in Redis',
    notes: [
      `${repetitions} times each, by the server's own counters: medians of its wall clock, and the longest by its CPU time, since on`,
      'a busy machine the wall clock runs on while another process has the core.',
      'Reports as replicas send them: 10 targets a call at most, fewer the more replicas there are; what is in one call',
      'is there to compare, no replica sends it.',
    ],
    figures,
    aims: [
      atMost('any script as replicas call it, highest median in µs', MOST_US, Math.max(...medians)),
      atMost('any script as replicas call it, longest call in µs CPU', MOST_US, Math.max(...longest)),
    ],
  };
}
