import { expect, it } from 'vitest';
import { InsuredStore } from '../store/insured-store.ts';
import type { Store } from '../store/store.ts';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { NewsReader } from './news-reader.ts';

const emptySnapshot = { cursor: '1-0', views: [] };
const asks = { cursor: '2-0', entries: [{ kind: 'ask', targets: ['t'] }] };

function readerOf(live: number, store: Partial<Store>) {
  const clock = new VirtualClock();
  let heard = 0;
  const reader = new NewsReader(new InsuredStore(store as Store, clock, () => {}), clock, seededRandom(1), {
    snapshot: () => {},
    news: () => heard++,
    live: () => live,
  });
  void reader.run();
  return { clock, reader, heard: () => heard };
}

it('reads on within a second, however many replicas are said to read along', async () => {
  const store = { snapshot: async () => emptySnapshot, read: async () => asks } as Partial<Store>;
  const { clock, reader, heard } = readerOf(1e9, store);
  await clock.advance(10_000);
  expect(heard()).toBeGreaterThanOrEqual(10);
  reader.stop();
});

it('begins anew within 20 s, however many replicas are said to come back', async () => {
  let asked = 0;
  const snapshot = async () => {
    asked++;
    throw new Error('away');
  };
  const { clock, reader } = readerOf(1e9, { snapshot });
  await clock.advance(100_000);
  expect(asked).toBeGreaterThanOrEqual(5);
  reader.stop();
});
