import { backOffMs } from '../store/back-off.ts';
import type { InsuredStore } from '../store/insured-store.ts';
import type { FleetEntry, FleetView } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import type { Random } from '../time/random.ts';

const WAIT_MS = 5_000;
/** A reader waits before it asks again, the longer the more replicas read: so that news come in batches. */
const SHORTEST_PAUSE_MS = 5;
const PAUSE_A_REPLICA_MS = 0.1;
const LONGEST_PAUSE_MS = 1_000;

export interface NewsListener {
  snapshot(views: readonly FleetView[]): void;
  news(entries: readonly FleetEntry[]): void;
  /** How many replicas read along. */
  live(): number;
}

/** Follows the stream of transitions: a snapshot first, then all that comes after it. */
export class NewsReader {
  readonly #store: InsuredStore;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #listener: NewsListener;
  readonly #closing = new AbortController();
  #cursor: string | undefined;
  #reading: AbortController | undefined;
  /** Since the last read that has worked. */
  #failures = 0;

  constructor(store: InsuredStore, clock: Clock, random: Random, listener: NewsListener) {
    this.#store = store;
    this.#clock = clock;
    this.#random = random;
    this.#listener = listener;
  }

  /** Reads until `stop`. */
  async run(): Promise<void> {
    while (!this.#closing.signal.aborted) {
      const pauseMs = this.#cursor === undefined ? await this.#start() : await this.#follow(this.#cursor);
      if (!this.#closing.signal.aborted) await this.#pause(pauseMs);
    }
  }

  stop(): void {
    this.#closing.abort();
    this.#reading?.abort();
  }

  /**
   * Hears what the stream's last entry is. A reader that is ahead of it would wait for ever: the store was emptied, and
   * everything is read anew.
   */
  check(last: string): void {
    if (this.#cursor === undefined || compareIds(this.#cursor, last) <= 0) return;
    this.#cursor = undefined;
    this.#reading?.abort();
  }

  async #start(): Promise<number> {
    const snapshot = await this.#store.snapshot([]);
    if (snapshot === undefined) return this.#backOff();
    this.#cursor = snapshot.cursor;
    this.#listener.snapshot(snapshot.views);
    return 0;
  }

  async #follow(cursor: string): Promise<number> {
    this.#reading = new AbortController();
    const { signal } = this.#reading;
    const news = await this.#store.read(cursor, WAIT_MS, signal);
    if (signal.aborted) return 0;
    if (news === undefined) {
      this.#cursor = undefined;
      return this.#backOff();
    }
    // A snapshot proves nothing: those that may not read the stream may take one.
    this.#failures = 0;
    this.#cursor = news.cursor;
    if (news.entries.length > 0) this.#listener.news(news.entries);
    const pauseMs = Math.max(SHORTEST_PAUSE_MS, this.#listener.live() * PAUSE_A_REPLICA_MS);
    return Math.min(pauseMs, LONGEST_PAUSE_MS);
  }

  #backOff(): number {
    this.#failures += 1;
    return backOffMs(this.#failures, this.#listener.live(), this.#random);
  }

  #pause(ms: number): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const { signal } = this.#closing;
      const done = () => {
        timer.cancel();
        signal.removeEventListener('abort', done);
        resolve();
      };
      const timer = this.#clock.setTimer(done, ms);
      signal.addEventListener('abort', done);
    });
  }
}

/** Orders ids of stream entries: `ms-sequence`. */
function compareIds(a: string, b: string): number {
  const [aMs = '0', aSequence = '0'] = a.split('-');
  const [bMs = '0', bSequence = '0'] = b.split('-');
  return Number(aMs) - Number(bMs) || Number(aSequence) - Number(bSequence);
}
