import type { CircuitSettings } from '../config/schema.ts';
import type { Random } from '../time/random.ts';

const LONGEST_NOTICE_MS = 60_000;
const JITTER = 0.2;
const MOST_OPENINGS = 30;

/**
 * How long a circuit stays open: twice as long with each opening up to a bound, a fifth more or less (at the bound
 * only less: replicas that opened together must not come back together), and never shorter than the other side asked
 * for.
 */
export class OpenTime {
  /** When the next try is due, in monotonic ms. */
  until = 0;
  /** Openings without a calm between them. */
  openings = 0;
  #noticeUntil = 0;

  /** Begins another opening at `from`. */
  begin(from: number, { openMs, maxOpenMs }: CircuitSettings, random: Random): void {
    const share = random.next();
    const grown = openMs * 2 ** this.openings * (1 - JITTER + 2 * JITTER * share);
    const most = maxOpenMs * (1 - JITTER + JITTER * share);
    this.openings = Math.min(this.openings + 1, MOST_OPENINGS);
    this.until = Math.max(from + Math.min(grown, most), this.#noticeUntil);
  }

  /** Takes up an opening from before. */
  restore(now: number, openings: number, leftMs: number, maxOpenMs: number): void {
    this.openings = within(openings, MOST_OPENINGS);
    this.until = now + within(leftMs, Math.max(maxOpenMs, LONGEST_NOTICE_MS));
  }

  /** The other side says when to come again; at most a minute of it is heard. */
  notice(now: number, retryAfterMs: number): void {
    this.#noticeUntil = Math.max(this.#noticeUntil, now + within(retryAfterMs, LONGEST_NOTICE_MS));
  }

  noticeLeftMs(now: number): number {
    return Math.max(0, this.#noticeUntil - now);
  }
}

/** A number from outside, between 0 and `most`; NaN is 0. */
function within(value: number, most: number): number {
  return value > 0 ? Math.min(value, most) : 0;
}
