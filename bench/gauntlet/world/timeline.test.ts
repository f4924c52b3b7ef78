import { describe, expect, test } from 'vitest';
import { Timeline } from './timeline.ts';

function setup() {
  const timeline = new Timeline();
  const log: string[] = [];
  const start = timeline.now;
  const at = (ms: number, what: string, then = () => {}, quiet = false) =>
    timeline.at(
      start + ms,
      () => {
        log.push(`${what} ${timeline.now - start}`);
        then();
      },
      quiet,
    );
  return { timeline, log, start, at };
}

describe('timeline', () => {
  test('events happen in order of time, and of being set where that is the same', async () => {
    const { timeline, log, start, at } = setup();
    for (const ms of [30, 10, 20, 10, 5]) at(ms, `${ms}`);
    at(10, 'last');
    await timeline.run(start + 100);
    expect(log).toEqual(['5 5', '10 10', '10 10', 'last 10', '20 20', '30 30']);
    expect(timeline.now).toBe(start + 100);
  });

  test('a thousand events in random order come sorted', async () => {
    const { timeline, start } = setup();
    const times: number[] = [];
    for (let i = 0; i < 1_000; i++) {
      const ms = (i * 7_919) % 1_009;
      timeline.at(start + ms, () => times.push(timeline.now - start), i % 3 === 0);
    }
    await timeline.run(start + 2_000);
    expect(times).toHaveLength(1_000);
    expect(times).toEqual(times.toSorted((a, b) => a - b));
  });

  test('promises settle before the next event, in chains of any length', async () => {
    const { timeline, log, start, at } = setup();
    const chain = async (left: number): Promise<void> => {
      if (left > 0) return chain(left - 1);
      log.push(`settled ${timeline.now - start}`);
    };
    at(1, 'a', () => void chain(500));
    at(1, 'b');
    await timeline.run(start + 10);
    expect(log).toEqual(['a 1', 'settled 1', 'b 1']);
  });

  test('what promises set for the same time happens after what was set before', async () => {
    const { timeline, log, start, at } = setup();
    at(1, 'a', () => void Promise.resolve().then(() => at(1, 'c')));
    at(1, 'b');
    await timeline.run(start + 10);
    expect(log).toEqual(['a 1', 'b 1', 'c 1']);
  });

  test('what was cancelled does not happen, nor what is due later', async () => {
    const { timeline, log, start, at } = setup();
    const gone = at(1, 'gone');
    at(11, 'later');
    gone.cancel();
    await timeline.run(start + 10);
    expect(log).toEqual([]);
    await timeline.run(start + 20);
    expect(log).toEqual(['later 11']);
  });

  test('what is set for the past happens now', async () => {
    const { timeline, log, start, at } = setup();
    at(5, 'a', () => void at(1, 'b'));
    await timeline.run(start + 10);
    expect(log).toEqual(['a 5', 'b 5']);
  });

  test('an event that throws ends the run', async () => {
    const { timeline, start, at } = setup();
    at(1, 'a', () => {
      throw new Error('no');
    });
    await expect(timeline.run(start + 10)).rejects.toThrow('no');
  });
});
