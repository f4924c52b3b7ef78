import { seededRandom } from '@healix/core/testing';
import { describe, expect, test } from 'vitest';
import { Host, type Work } from './host.ts';
import { Timeline } from './timeline.ts';

class Job implements Work {
  readonly #timeline: Timeline;
  readonly #ms: number;
  readonly cameAt: number;
  beganAt: number | undefined;
  endedAt: number | undefined;
  isLost = false;

  constructor(timeline: Timeline, ms: number) {
    this.#timeline = timeline;
    this.#ms = ms;
    this.cameAt = timeline.now;
  }

  begin(now: number): number {
    this.beganAt = now;
    return this.#ms;
  }

  done(): boolean {
    this.endedAt = this.#timeline.now;
    return false;
  }

  lost(): void {
    this.isLost = true;
  }
}

function setup(servers: number, queue: number) {
  const timeline = new Timeline();
  const host = new Host(
    timeline,
    servers,
    queue,
    () => {},
    () => true,
  );
  const start = timeline.now;
  const take = (ms: number) => {
    const job = new Job(timeline, ms);
    return { job, taken: host.take(job) };
  };
  return { timeline, host, start, take };
}

/** Mean wait in a queue of Poisson arrivals at c exponential servers (Erlang's C formula). */
function erlangWaitMs(servers: number, perMs: number, serviceMs: number): number {
  const offered = perMs * serviceMs;
  let term = 1;
  let sum = 1;
  for (let k = 1; k < servers; k++) {
    term *= offered / k;
    sum += term;
  }
  const all = ((term * offered) / servers) * (servers / (servers - offered));
  return ((all / (sum + all)) * serviceMs) / (servers - offered);
}

describe('host', () => {
  test.each([
    [1, 0.6],
    [5, 0.8],
    [20, 0.85],
  ])('%i servers at load %f wait as long as theory has it (M/M/c)', async (servers, load) => {
    const { timeline, start, take } = setup(servers, Number.POSITIVE_INFINITY);
    const random = seededRandom(servers);
    const exponential = (mean: number) => -mean * Math.log(1 - random.next());
    const serviceMs = 40;
    const perMs = (load * servers) / serviceMs;
    const jobs: Job[] = [];
    const arrive = () => {
      jobs.push(take(exponential(serviceMs)).job);
      if (jobs.length < 200_000) timeline.at(timeline.now + exponential(1 / perMs), arrive, true);
    };
    timeline.at(start, arrive, true);
    await timeline.run(start + 1e9);
    const waits = jobs.map(({ beganAt, cameAt }) => (beganAt as number) - cameAt);
    const mean = waits.reduce((sum, wait) => sum + wait, 0) / waits.length;
    expect(mean / erlangWaitMs(servers, perMs, serviceMs)).toBeGreaterThan(0.93);
    expect(mean / erlangWaitMs(servers, perMs, serviceMs)).toBeLessThan(1.07);
  });

  test('serves in order of arrival, and refuses what its queue has no room for', async () => {
    const { timeline, start, take } = setup(1, 2);
    const works = [10, 10, 10, 10].map(take);
    expect(works.map(({ taken }) => taken)).toEqual([true, true, true, false]);
    await timeline.run(start + 100);
    expect(works.map(({ job }) => job.endedAt)).toEqual([start + 10, start + 20, start + 30, undefined]);
  });

  test('frozen it takes requests, and goes on where it was', async () => {
    const { timeline, host, start, take } = setup(1, 5);
    const { job } = take(10);
    timeline.at(start + 4, () => host.freeze());
    let later: Job | undefined;
    timeline.at(start + 50, () => {
      later = take(10).job;
    });
    timeline.at(start + 100, () => host.thaw());
    await timeline.run(start + 200);
    expect(job.endedAt).toBe(start + 106);
    expect(later?.endedAt).toBe(start + 116);
  });

  test('a crash loses what it was doing and what waited, and leaves it idle', async () => {
    const { timeline, host, start, take } = setup(1, 5);
    const lost = [take(10).job, take(10).job];
    timeline.at(start + 4, () => host.crash());
    await timeline.run(start + 50);
    expect(lost.map(({ isLost, endedAt }) => [isLost, endedAt])).toEqual([
      [true, undefined],
      [true, undefined],
    ]);
    const { job } = take(10);
    await timeline.run(start + 100);
    expect([job.endedAt, host.busy, host.waiting]).toEqual([start + 60, 0, 0]);
  });

  test('a server that waits for something itself stays taken', async () => {
    const { timeline, host, start, take } = setup(1, 5);
    let release: (() => void) | undefined;
    host.take({
      begin: () => 10,
      done: (whenReleased) => {
        release = whenReleased;
        return true;
      },
      lost: () => {},
    });
    const { job } = take(10);
    timeline.at(start + 50, () => release?.());
    await timeline.run(start + 100);
    expect(job.endedAt).toBe(start + 60);
  });
});
