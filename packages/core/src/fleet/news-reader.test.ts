import { describe, expect, test } from 'vitest';
import { openView, ScriptedStore, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import { InsuredStore } from '../store/insured-store.ts';
import type { FleetEntry, FleetView } from '../store/store.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { NewsReader } from './news-reader.ts';

const VIEW: FleetEntry = { kind: 'view', view: openView('t', { epoch: 2 }) };
const ASK: FleetEntry = { kind: 'ask', targets: ['t'] };

function setup({ live = 1, chance = 0.999 }: { live?: number; chance?: number } = {}) {
  const clock = new VirtualClock();
  const scripted = new ScriptedStore(clock);
  const snapshots: (readonly FleetView[])[] = [];
  const news: FleetEntry[] = [];
  const store = new InsuredStore(scripted, clock, () => {});
  const reader = new NewsReader(
    store,
    clock,
    { next: () => chance },
    {
      snapshot: (views) => snapshots.push(views),
      news: (entries) => news.push(...entries),
      live: () => live,
    },
  );
  /** Cursors that were read from so far. */
  const cursors = () => scripted.read.mock.calls.map(([cursor]) => cursor);
  const start = async () => {
    void reader.run();
    await clock.advance(0);
  };
  const tell = async (cursor: string, ...entries: FleetEntry[]) => {
    scripted.tell(cursor, ...entries);
    await clock.advance(0);
  };
  return { clock, scripted, reader, snapshots, news, cursors, start, tell };
}

describe('following the stream', () => {
  test('begins with a snapshot, and goes on from where that was taken', async () => {
    const { scripted, snapshots, cursors, start } = setup();
    const views = [viewOf('t')];
    scripted.snapshot.mockResolvedValueOnce({ cursor: '5-3', views });
    await start();
    expect(scripted.snapshot.mock.calls).toEqual([[[]]]);
    expect(snapshots).toEqual([views]);
    expect(cursors()).toEqual(['5-3']);
    expect(scripted.read.mock.calls[0]?.[1]).toBe(5_000);
  });

  test('hears all, each time from where it was', async () => {
    const { clock, news, cursors, start, tell } = setup();
    await start();
    await tell('1-0', VIEW);
    await clock.advance(5);
    await tell('2-0', ASK, VIEW);
    await clock.advance(5);
    expect(news).toEqual([VIEW, ASK, VIEW]);
    expect(cursors()).toEqual(['0-0', '1-0', '2-0']);
  });

  test('hears of nothing where there is no news', async () => {
    const { clock, news, snapshots, cursors, start } = setup();
    await start();
    await clock.advance(5_005);
    expect([news, snapshots.length, cursors()]).toEqual([[], 1, ['0-0', '0-0']]);
  });

  test.each([
    [1, 5],
    [50, 5],
    [1_000, 100],
  ])('with %i replicas it waits %i ms between two reads', async (live, pauseMs) => {
    const { clock, cursors, start, tell } = setup({ live });
    await start();
    await tell('1-0', VIEW);
    await clock.advance(pauseMs - 1);
    expect(cursors()).toHaveLength(1);
    await clock.advance(1);
    expect(cursors()).toHaveLength(2);
  });
});

test('reads on within a second, however many replicas are said to read along', async () => {
  const { clock, scripted, news, start } = setup({ live: 1e9 });
  scripted.read.mockResolvedValue({ cursor: '2-0', entries: [ASK] });
  await start();
  await clock.advance(10_000);
  expect(news.length).toBeGreaterThanOrEqual(10);
});

describe('when a read fails', () => {
  test('the reader begins anew with a snapshot, after a random wait', async () => {
    const { clock, scripted, cursors, start, tell } = setup({ chance: 0.5 });
    await start();
    await tell('7-0', VIEW);
    scripted.read.mockRejectedValueOnce(new Error('cut'));
    await clock.advance(5);
    scripted.snapshot.mockResolvedValueOnce({ cursor: '9-0', views: [] });
    await clock.advance(124);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
    await clock.advance(1);
    expect(scripted.snapshot).toHaveBeenCalledTimes(2);
    expect(cursors()).toEqual(['0-0', '7-0', '9-0']);
  });

  test('the wait doubles up to five seconds, and begins small again once a read has worked', async () => {
    const { clock, scripted, start, tell } = setup();
    scripted.fail();
    await start();
    const waits: number[] = [];
    let last = clock.now();
    while (waits.length < 8) {
      const before = scripted.snapshot.mock.calls.length;
      while (scripted.snapshot.mock.calls.length === before) await clock.advance(1);
      waits.push(clock.now() - last);
      last = clock.now();
    }
    const expected = [250, 500, 1_000, 2_000, 4_000, 5_000, 5_000, 5_000];
    for (const [n, wait] of waits.entries()) expect(wait / (expected[n] as number)).toBeCloseTo(1, 1);

    scripted.recover();
    await clock.advance(5_000);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
    await tell('1-0', VIEW);
    scripted.read.mockRejectedValueOnce(new Error('cut'));
    await clock.advance(5 + 240);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
    await clock.advance(20);
    expect(scripted.snapshot).toHaveBeenCalledTimes(2);
  });

  test('the wait doubles too where snapshots work, and reads do not', async () => {
    const { clock, scripted, start } = setup();
    scripted.read.mockRejectedValue(new Error('denied'));
    await start();
    await clock.advance(60_000);
    expect(scripted.snapshot.mock.calls.length).toBeLessThan(60 / 5 + 6);
  });

  test('many replicas come back over a longer time', async () => {
    const { clock, scripted, start } = setup({ live: 1_000 });
    scripted.snapshot.mockRejectedValueOnce(new Error('gone'));
    await start();
    await clock.advance(1_990);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
    await clock.advance(10);
    expect(scripted.snapshot).toHaveBeenCalledTimes(2);
  });

  test('begins anew within 20 s, however many replicas are said to come back', async () => {
    const { clock, scripted, start } = setup({ live: 1e9 });
    scripted.fail();
    await start();
    await clock.advance(100_000);
    expect(scripted.snapshot.mock.calls.length).toBeGreaterThanOrEqual(5);
  });

  test('a read that never comes back has failed', async () => {
    const { clock, scripted, start } = setup();
    scripted.read.mockReturnValueOnce(new Promise(() => {}));
    await start();
    await clock.advance(10_000 + 250);
    expect(scripted.snapshot).toHaveBeenCalledTimes(2);
  });
});

describe('a reader that is ahead of the stream', () => {
  test.each([
    ['5-3', '5-2'],
    ['10-0', '9-7'],
    ['5-10', '5-9'],
    ['5-0', '0-0'],
  ])('at %s of %s begins anew at once', async (mine, last) => {
    const { clock, scripted, reader, cursors, start } = setup();
    scripted.snapshot.mockResolvedValueOnce({ cursor: mine, views: [] });
    await start();
    reader.check(last);
    await clock.advance(0);
    expect(scripted.snapshot).toHaveBeenCalledTimes(2);
    expect(cursors()).toEqual([mine, '0-0']);
  });

  test.each(['5-3', '5-4', '6-0', '10-0'])('is none at 5-3 of %s', async (last) => {
    const { clock, scripted, reader, start } = setup();
    scripted.snapshot.mockResolvedValueOnce({ cursor: '5-3', views: [] });
    await start();
    reader.check(last);
    await clock.advance(0);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
  });

  test('is none before it has begun', async () => {
    const { clock, scripted, reader, start } = setup();
    scripted.snapshot.mockReturnValueOnce(new Promise(() => {}));
    await start();
    reader.check('0-0');
    await clock.advance(0);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
  });
});

describe('a reader that is stopped', () => {
  test('ends its read, and reads no more', async () => {
    const { clock, scripted, reader, start } = setup();
    await start();
    const signal = scripted.read.mock.calls[0]?.[2] as AbortSignal;
    reader.stop();
    expect(signal.aborted).toBe(true);
    await clock.advance(60_000);
    expect(scripted.read).toHaveBeenCalledTimes(1);
    expect(clock.pending).toBe(0);
  });

  test('does not wait for its pause', async () => {
    const { clock, scripted, reader, start } = setup();
    scripted.fail();
    await start();
    expect(clock.pending).toBe(1);
    reader.stop();
    await clock.advance(0);
    expect(clock.pending).toBe(0);
    expect(scripted.snapshot).toHaveBeenCalledTimes(1);
  });
});
