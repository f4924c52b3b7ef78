import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { FleetMemory } from '../../../packages/core/src/store/memory/fleet-memory.ts';
import { MemoryStore } from '../../../packages/core/src/store/memory/memory-store.ts';
import type { ClaimReply, FleetEntry, FleetView, Store } from '../../../packages/core/src/store/store.ts';
import { systemClock } from '../../../packages/core/src/time/clock.ts';
import type { VirtualRedis } from '../harness/virtual-redis.ts';
import { RandomReplicas } from './random-replicas.ts';
import type { Step } from './random-steps.ts';

const never = new AbortController().signal;

/** A fleet in memory and one in Redis that are told the same at the same time, and must answer the same. */
export class Twins {
  readonly #redis: VirtualRedis;
  readonly #note: (event: string) => void;
  readonly #memory: FleetMemory;
  readonly #service = `twins-${randomUUID()}`;
  readonly #replicas = new RandomReplicas();
  readonly #stores: Store[] = [];
  readonly #inMemory: Store;
  #inRedis: Store;

  /** @param note is told what has come about */
  constructor(redis: VirtualRedis, note: (event: string) => void) {
    this.#redis = redis;
    this.#note = note;
    this.#memory = new FleetMemory({ ...systemClock, now: () => redis.now, wall: () => redis.now });
    this.#inMemory = this.#open(new MemoryStore(this.#memory));
    this.#inRedis = this.#open(redis.makeStore());
  }

  async run(steps: readonly Step[]): Promise<void> {
    try {
      for (const step of steps) await this.#take(step);
      const news = await newsOf(this.#inRedis);
      assert.deepEqual(await newsOf(this.#inMemory), news, 'the news in memory are not those in Redis');
      for (const entry of news) this.#note(entry.kind === 'ask' ? 'asked' : `told ${entry.view.state}`);
    } finally {
      for (const store of this.#stores) await store.close();
    }
  }

  async #take(step: Step): Promise<void> {
    if (step.op === 'wait') return this.#redis.advance(step.ms);
    if (step.op === 'until due') {
      return this.#redis.advance(Math.max(0, this.#replicas.remainingMs(step.target) + step.ms));
    }
    if (step.op === 'fail over') return this.#failOver();
    const put = this.#replicas.put(step);
    const reply = await put(this.#inRedis);
    const inMemory = await put(this.#inMemory);
    assert.deepEqual(
      comparable(inMemory),
      comparable(reply),
      `memory is not as Redis: ${JSON.stringify(step)}`,
    );
    this.#replicas.learn(step, viewsIn(reply), (reply as ClaimReply | undefined)?.leaseMs);
    for (const event of eventsIn(step.op, reply)) this.#note(event);
  }

  async #failOver(): Promise<void> {
    this.#memory.failOver();
    await this.#redis.failOver();
    this.#inRedis = this.#open(this.#redis.makeStore());
  }

  #open<S extends Store>(store: S): S {
    store.open(this.#service);
    this.#stores.push(store);
    return store;
  }
}

/** Without cursors, which differ; lists whose order means nothing are put in one order. */
function comparable(reply: unknown): unknown {
  if (reply === undefined || Array.isArray(reply)) return reply;
  const { cursor, views, unsettled, ...rest } = reply as Record<string, { target: string }[]>;
  return { ...rest, views: sorted(views), unsettled: sorted(unsettled) };
}

function sorted(list: { target: string }[] | undefined): unknown {
  return list?.toSorted((a, b) => a.target.localeCompare(b.target));
}

function viewsIn(reply: unknown): readonly FleetView[] {
  if (Array.isArray(reply)) return reply;
  const { view, views = [] } = (reply ?? {}) as { view?: FleetView; views?: FleetView[] };
  return view === undefined ? views : [view];
}

function eventsIn(op: string, reply: unknown): string[] {
  const { leaseMs, counted, accepted } = (reply ?? {}) as Record<string, unknown>;
  if (leaseMs !== undefined) return [op, `${op} granted`];
  const told = counted ?? accepted;
  return told === undefined ? [op] : [op, `${op} ${told}`];
}

async function newsOf(store: Store): Promise<FleetEntry[]> {
  const all: FleetEntry[] = [];
  for (let cursor = '0-0'; ; ) {
    const news = await store.read(cursor, 0, never);
    if (news.entries.length === 0) return all;
    all.push(...news.entries);
    cursor = news.cursor;
  }
}
