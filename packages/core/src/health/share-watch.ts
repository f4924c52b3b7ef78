import { ChangeDetector } from './change-detector.ts';

/** So many calls are judged at once: a share of fewer is hardly a number. */
const ENOUGH_CALLS = 10;
/** Or so many bad ones: they need no further company. */
const ENOUGH_BAD = 4;
/** To see the end of a change, half of that does: it is asked again each time. */
const ENOUGH_TO_CALM = 5;
/** A share that is no higher than this may be normal; a higher one never is. */
const HIGHEST_NORMAL = 0.05;
/** Twice as many bad ones as always, and a quarter, are none to speak of. */
const LEAST_RATIO = 1.25;
/** Two intervals in which all fail are enough. */
const CLIP = 5;
/** What the share of single calls deviates by, where one in 50 is bad. */
const LEAST_DEVIATION = 0.14;
/** Without calls for so long nothing more is said about them. */
const QUIET_MS = 30_000;

/** Watches what share of the calls is bad: failed, or slow. */
export class ShareWatch {
  readonly #detector: ChangeDetector;
  #calls = 0;
  #bad = 0;
  #lastCall = Number.NEGATIVE_INFINITY;
  /** Of the calls that were judged last. */
  share = 0;

  /** @param notable share of bad calls that is to be seen soon; half of it is seen later, a quarter never */
  constructor(notable: number) {
    this.#detector = new ChangeDetector({
      warmUp: 0,
      leastChange: notable / 4,
      leastRatio: LEAST_RATIO,
      clip: CLIP,
      leastDeviation: LEAST_DEVIATION,
      highest: Math.min(HIGHEST_NORMAL, notable / 2),
    });
  }

  /** The share of bad calls when all is well. */
  get baseline(): number {
    return this.#detector.baseline;
  }

  /** True while too many are bad. */
  look(bad: number, calls: number, now: number): boolean {
    this.#bad += bad;
    this.#calls += calls;
    if (calls > 0) this.#lastCall = now;
    else if (now - this.#lastCall > QUIET_MS) this.#detector.calm();
    const flagged = this.#detector.changed === 'up';
    if (this.#calls >= (flagged ? ENOUGH_TO_CALM : ENOUGH_CALLS) || this.#bad >= ENOUGH_BAD) this.#judge(now);
    return this.#detector.changed === 'up';
  }

  #judge(now: number): void {
    const calls = Math.max(this.#calls, this.#bad);
    this.share = this.#bad / calls;
    this.#detector.update(this.share, now, calls);
    this.#calls = 0;
    this.#bad = 0;
  }
}
