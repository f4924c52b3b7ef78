import { ChangeDetector } from './change-detector.ts';

/** In the square root of a count, twice: where all is chance, such a value deviates by 1 (Anscombe, 1948). */
const LEAST_DEVIATION = 1;
/** One hanging call more is no hang, be it ever so sure; four are. */
const LEAST_CHANGE = 1.5;
/** Half as many again as always, nearly: a quarter more of the root. */
const LEAST_RATIO = 0.25;
/** Their number changes slowly: one look has much of the last one in it. */
const DRIFT = 1.5;
/** In which streams and long polls gather. */
const WARM_UP_MS = 60_000;
/** What hangs for so long is meant to: a long poll, a stream. */
const ADOPT_AFTER_MS = 600_000;

/** Watches how many calls in flight are older than calls should get, at each look. */
export class HangWatch {
  readonly #detector = new ChangeDetector({
    drift: DRIFT,
    warmUpMs: WARM_UP_MS,
    leastChange: LEAST_CHANGE,
    leastRatio: LEAST_RATIO,
    leastDeviation: LEAST_DEVIATION,
    adoptAfterMs: ADOPT_AFTER_MS,
  });

  /** True while too many hang. */
  look(hanging: number, now: number): boolean {
    return this.#detector.update(2 * Math.sqrt(hanging + 3 / 8), now) === 'up';
  }
}
