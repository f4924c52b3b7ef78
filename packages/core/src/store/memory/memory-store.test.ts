import { beforeEach, expect, test } from 'vitest';
import { createHealing } from '../../shared-runtime.ts';
import { seededRandom } from '../../time/random.ts';
import { VirtualClock } from '../../time/virtual-clock.ts';
import { claim, force, report, seed } from '../conformance/inputs.ts';
import type { FleetView } from '../store.ts';
import { FleetMemory } from './fleet-memory.ts';
import { MemoryStore } from './memory-store.ts';

// What every store does is tried by storeConformance. This is what the memory alone does.

const DAY = 86_400_000;
const never = new AbortController().signal;

let clock: VirtualClock;
let memory: FleetMemory;
let store: MemoryStore;

beforeEach(() => {
  clock = new VirtualClock();
  memory = new FleetMemory(clock);
  store = new MemoryStore(memory);
  store.open('service');
});

async function viewOf(name: string): Promise<FleetView> {
  const { views } = await store.snapshot([name]);
  return views.find(({ target }) => target === name) as FleetView;
}

test('a record that nothing happens to for a day goes, unless a person holds it', async () => {
  await store.seed('a', [seed({ target: 'open' }), seed({ target: 'used' })]);
  const { view } = await store.force('a', force('held', 'open', 0, 'f'));
  clock.advanceSync(DAY - 1);
  await store.claim('a', claim(await viewOf('used'), 'p'));
  expect(await viewOf('open')).toMatchObject({ epoch: 5 });
  clock.advanceSync(1);
  const { unsettled } = await store.heartbeat('a');
  expect(unsettled.map(({ target }) => target).sort()).toEqual(['held', 'used']);
  expect(await viewOf('open')).toMatchObject({ epoch: 0 });
  clock.advanceSync(100 * DAY);
  expect((await store.snapshot([])).views).toEqual([view]);
});

test('a record that was gone is made anew', async () => {
  await store.seed('a', [seed({ target: 't', epoch: 9 })]);
  clock.advanceSync(DAY);
  const [view] = await store.report('a', [report('t')]);
  expect(view).toMatchObject({ epoch: 1, state: 'closed', openings: 0, reporters: 1 });
});

test('the oldest of many news go', async () => {
  const { cursor } = await store.snapshot([]);
  for (let i = 0; i < 25_000; i++) await store.force('a', force('t', 'open', i, `f${i}`));
  const first = await store.read(cursor, 0, never);
  const [entry] = first.entries;
  expect(entry?.kind === 'view' && entry.view.forcedVersion).toBeGreaterThan(25_000 - 20_000);
  expect(first.entries.length).toBe(200);
});

test('a reader waits without a timer but the one that ends its wait, and is woken at once', async () => {
  const { cursor } = await store.snapshot([]);
  let woken = false;
  const news = store.read(cursor, 5_000, never).then(() => {
    woken = true;
  });
  expect(clock.pending).toBe(1);
  await store.force('a', force('t', 'open', 0, 'f'));
  await clock.advance(0);
  expect([woken, clock.pending]).toEqual([true, 0]);
  await news;
});

test('a reader that has waited, or has given up, leaves nothing behind', async () => {
  const { cursor } = await store.snapshot([]);
  const reading = new AbortController();
  const waited = store.read(cursor, 100, reading.signal);
  await clock.advance(100);
  expect(await waited).toEqual({ cursor, entries: [] });
  const given = store.read(cursor, 100, reading.signal);
  reading.abort(new Error('enough'));
  await expect(given).rejects.toThrow('enough');
  expect(clock.pending).toBe(0);
});

test('a store is opened once, and used after that', async () => {
  expect(() => store.open('service')).toThrow('a store of its own for each runtime');
  await expect(new MemoryStore(memory).heartbeat('a')).rejects.toMatchObject({ reason: 'unreachable' });
});

test('runtimes over one memory share what fails', async () => {
  const runtimes = [1, 2].map((number) =>
    createHealing({
      shared: false,
      clock,
      random: seededRandom(number),
      store: new MemoryStore(memory),
      service: 'service',
      targets: { 'upstream:a': { circuit: { minimumCalls: 10, probes: 1 }, retry: { maxRetries: 0 } } },
    }),
  );
  const targets = runtimes.map((runtime) => runtime.target('upstream:a'));
  const states = () => targets.map(({ state }) => state);
  const callAll = async (fails: boolean) => {
    for (const target of targets) {
      const call = target.run(async () => {
        if (fails) throw new Error('down');
      });
      await call.catch(() => undefined);
    }
    await clock.advance(50);
  };
  await callAll(false);
  for (let i = 0; i < 100 && states().includes('closed'); i++) await callAll(true);
  expect(states()).not.toContain('closed');
  for (let i = 0; i < 200 && states().some((state) => state !== 'closed'); i++) await callAll(false);
  expect(states()).toEqual(['closed', 'closed']);
  await clock.advance(5_000);
  expect(runtimes.map((runtime) => runtime.status().fleet?.live)).toEqual([2, 2]);
  for (const runtime of runtimes) await runtime.close();
});
