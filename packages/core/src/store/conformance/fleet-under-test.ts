import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { systemClock, type Timer } from '../../time/clock.ts';
import type { FleetEntry, FleetView, Report, Store } from '../store.ts';
import { report } from './inputs.ts';
import type { StoreCase, StoreSubject } from './subject.ts';

const LONGEST_CASE_MS = 50_000;

/** A fleet of its own on the subject, for one case. */
export class FleetUnderTest {
  readonly subject: StoreSubject;
  readonly service = `conformance-${randomUUID()}`;
  readonly #stores: Store[] = [];

  constructor(subject: StoreSubject) {
    this.subject = subject;
  }

  /** The store that most calls are made on. */
  get store(): Store {
    return this.#stores[0] as Store;
  }

  /** Another store of the same fleet, or of another. */
  async makeStore(service = this.service): Promise<Store> {
    const store = await this.subject.makeStore();
    this.#stores.push(store);
    store.open(service);
    return store;
  }

  async end(): Promise<void> {
    for (const store of this.#stores.splice(0)) await store.close();
  }

  async advance(ms: number): Promise<void> {
    await this.subject.advance(ms);
  }

  async turnBack(ms: number): Promise<void> {
    await this.subject.turnBack?.(ms);
  }

  /** Another server is in charge from now on. @returns a store that reaches it */
  async failOver(): Promise<Store> {
    await this.subject.failOver?.();
    return this.makeStore();
  }

  /** What the store holds of a target now. */
  async view(target: string): Promise<FleetView> {
    const { views } = await this.store.snapshot([target]);
    return views.find((view) => view.target === target) as FleetView;
  }

  async report(replica: string, one: Report): Promise<FleetView> {
    const [view] = await this.store.report(replica, [one]);
    return view as FleetView;
  }

  /** The same report, made under the record as it is, by each of the replicas. @returns the last one's view */
  async reportAll(
    replicas: readonly string[],
    target: string,
    more: Partial<Report> = {},
  ): Promise<FleetView> {
    let view = await this.view(target);
    for (const replica of replicas) {
      const { epoch, epochId } = view;
      view = await this.report(
        replica,
        report(target, { epoch, epochId, nextId: `${target}-${epoch + 1}`, ...more }),
      );
    }
    return view;
  }

  /** Opens a target by what two replicas report. */
  async trip(target: string, more: Partial<Report> = {}): Promise<FleetView> {
    await this.reportAll(['a', 'b'], target, more);
    await this.advance(200);
    const view = await this.reportAll(['a', 'b'], target, more);
    assert.equal(view.state, 'open', 'two replicas whose calls all fail open a target');
    return view;
  }

  /** The same, and past the time in which each replica may have one probe only. */
  async tripAndWait(target: string, more: Partial<Report> = {}): Promise<FleetView> {
    const view = await this.trip(target, more);
    await this.advance(view.remainingMs + 300);
    return view;
  }

  /** All news after `cursor`. */
  async newsSince(cursor: string, store = this.store): Promise<FleetEntry[]> {
    const all: FleetEntry[] = [];
    for (;;) {
      const news = await store.read(cursor, 0, new AbortController().signal);
      if (news.entries.length === 0) return all;
      all.push(...news.entries);
      cursor = news.cursor;
    }
  }

  async cursor(): Promise<string> {
    return (await this.store.snapshot([])).cursor;
  }
}

/** A case that is played by a fleet of its own. */
export function storeCase(
  name: string,
  play: (fleet: FleetUnderTest) => Promise<void>,
  needs?: StoreCase['needs'],
): StoreCase {
  const playOut = async (subject: StoreSubject) => {
    const fleet = new FleetUnderTest(subject);
    try {
      await fleet.makeStore();
      await play(fleet);
    } finally {
      await fleet.end();
    }
  };
  return { name, needs, run: (subject) => inTime(playOut(subject)) };
}

/** Fails a case whose store does not answer. */
async function inTime(playing: Promise<void>): Promise<void> {
  let limit: Timer | undefined;
  const late = new Promise<never>((_, reject) => {
    const message = `a call of the store did not settle within ${LONGEST_CASE_MS} ms`;
    limit = systemClock.setTimer(() => reject(new assert.AssertionError({ message })), LONGEST_CASE_MS);
    limit.keepAlive(true);
  });
  try {
    await Promise.race([playing, late]);
  } finally {
    limit?.cancel();
  }
}

/** Has all that `expected` has; and what else it may have. */
export function has<T extends object>(actual: T, expected: Partial<T>): void {
  const names = Object.keys(expected) as (keyof T)[];
  assert.deepEqual(Object.fromEntries(names.map((name) => [name, actual[name]])), expected);
}
