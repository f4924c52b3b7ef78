import { LRUCache } from 'lru-cache';
import { ConfigError } from '../errors.ts';

export interface StaleOptions {
  /** Under what the answer is kept. It must tell apart all who may not see each other's answers. */
  key: string;
  /** How old an answer may be, in ms. */
  maxAgeMs: number;
  /** How many answers the target keeps; the first call that asks decides. Default 100. */
  maxEntries?: number | undefined;
}

export interface KeptAnswer {
  readonly value: unknown;
  readonly at: number;
}

const MOST_ENTRIES = 100_000;

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

/** Above all a missing key: one user would be shown what another was answered. */
export function findWrongStaleOption(options: StaleOptions): ConfigError | undefined {
  if (typeof options !== 'object' || options === null) {
    return new ConfigError('run.stale', options, 'an object of key, maxAgeMs, maxEntries');
  }
  const { key, maxAgeMs, maxEntries } = options;
  if (typeof key !== 'string' || key === '') {
    return new ConfigError('run.stale.key', key, 'a text that is not empty');
  }
  if (typeof maxAgeMs !== 'number' || !(maxAgeMs > 0)) {
    return new ConfigError('run.stale.maxAgeMs', maxAgeMs, 'a number above 0');
  }
  const bounded = Number.isInteger(maxEntries) && within(maxEntries as number);
  if (maxEntries === undefined || bounded) return undefined;
  return new ConfigError('run.stale.maxEntries', maxEntries, `a whole number from 1 to ${MOST_ENTRIES}`);
}

function within(entries: number): boolean {
  return entries >= 1 && entries <= MOST_ENTRIES;
}
