import { ChangeDetector } from './change-detector.ts';

/** In the square root of a count, twice: where all is chance, such a value deviates by 1 (Anscombe, 1948). */
const LEAST_DEVIATION = 1;
/** One hanging call more is no hang, be it ever so sure; four are. */
const LEAST_CHANGE = 1.5;
/** What hangs for so long is meant to: a long poll, a stream. */
const ADOPT_AFTER_MS = 600_000;

/** Watches how many calls in flight are older than calls should get, at each look. */
export class HangWatch {
  readonly #detector = new ChangeDetector({
    warmUp: 0,
    leastChange: LEAST_CHANGE,
    leastDeviation: LEAST_DEVIATION,
    adoptAfterMs: ADOPT_AFTER_MS,
  });

  /** True while too many hang. */
  look(hanging: number, now: number): boolean {
    return this.#detector.update(2 * Math.sqrt(hanging + 3 / 8), now) === 'up';
  }
}
