import { LRUCache } from 'lru-cache';

export interface StaleOptions {
  /** Under what the answer is kept. It must tell apart all who may not see each other's answers. */
  key: string;
  /** How old an answer may be, in ms. */
  maxAgeMs: number;
  /** How many answers the target keeps; the first call that asks decides. Default 100. */
  maxEntries?: number | undefined;
}

interface KeptAnswer {
  readonly value: unknown;
  readonly at: number;
}

/** The last good answers of a target, for the time in which there are none. */
export class StaleAnswers {
  #answers: LRUCache<string, KeptAnswer> | undefined;

  keep(options: StaleOptions, value: unknown, now: number): void {
    this.#answers ??= new LRUCache({ max: options.maxEntries ?? 100 });
    this.#answers.set(options.key, { value, at: now });
  }

  find(options: StaleOptions, now: number): KeptAnswer | undefined {
    const kept = this.#answers?.get(options.key);
    return kept !== undefined && now - kept.at <= options.maxAgeMs ? kept : undefined;
  }
}
