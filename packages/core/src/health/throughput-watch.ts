import { ChangeDetector } from './change-detector.ts';
import { Ewma } from './ewma.ts';

/** Calls that are expected in the time that is judged at once. */
const ENOUGH_CALLS = 10;
/** Traffic of less than `ENOUGH_CALLS` in this time is not judged at all: its silences mean nothing. */
const LONGEST_MS = 15_000;
const FIRST_MS = 1_500;
/** ln 1.42: half of the traffic missing is seen with time, two thirds soon. */
const LEAST_CHANGE = 0.35;
/** The level is taken over some of what is judged at once. */
const LEVEL_HALF_LIFE = 2;
/** Lows are remembered for six slots of this length: a pause that traffic often makes is none to speak of. */
const LOW_SLOT_MS = 300_000;
const LOW_SLOTS = 6;
/** A drop is one that goes below this share of the lowest that was seen. */
const BELOW_LOWS = 0.65;
/** Traffic must have been known for so long. */
const KNOWN_AFTER_MS = 900_000;
const ADOPT_AFTER_MS = 300_000;

/** Watches for traffic that stays away, unless it is given to that. */
export class ThroughputWatch {
  readonly #detector = new ChangeDetector({
    leastChange: LEAST_CHANGE,
    leastDeviation: 1,
    adoptAfterMs: ADOPT_AFTER_MS,
  });
  readonly #lows = new Float64Array(LOW_SLOTS).fill(Number.POSITIVE_INFINITY);
  #level = new Ewma(LEVEL_HALF_LIFE);
  #blocks = 0;
  #slot = 0;
  #since: number | undefined;
  #blockSince = 0;
  #calls = 0;
  #low = false;

  /** Calls a second, lately. */
  get perSecond(): number {
    return Math.exp(this.#level.mean);
  }

  /** Calls a second when all is well. */
  get baseline(): number {
    return Math.exp(this.#detector.baseline);
  }

  /** True while too few calls come. @param calls that came since the last look */
  look(calls: number, now: number): boolean {
    if (this.#since === undefined) {
      this.#since = now;
      this.#blockSince = now;
      return false;
    }
    this.#calls += calls;
    if (now - this.#blockSince >= this.#blockMs()) this.#judge(now, this.#since);
    return this.#low;
  }

  /** Long enough for some calls, were they to come as ever. */
  #blockMs(): number {
    if (this.#blocks === 0) return FIRST_MS;
    return Math.min(LONGEST_MS, (ENOUGH_CALLS / Math.max(this.baseline, this.perSecond)) * 1_000);
  }

  #judge(now: number, since: number): void {
    const seconds = (now - this.#blockSince) / 1_000;
    const expected = this.baseline * seconds;
    const logRate = Math.log((this.#calls + 1 / 2) / seconds);
    this.#blockSince = now;
    this.#calls = 0;
    this.#level.add(logRate, this.#blocks++);
    const dropped = this.#detector.update(logRate, now, Math.max(1, expected)) === 'down';
    const judged = dropped && expected >= ENOUGH_CALLS / 2 && now - since >= KNOWN_AFTER_MS;
    this.#low = judged && (this.#low || this.perSecond < BELOW_LOWS * this.#lowest());
    this.#noteLow(now);
  }

  /** Of the slots before the present one: a drop under way is no low of old. */
  #lowest(): number {
    let lowest = Number.POSITIVE_INFINITY;
    this.#lows.forEach((low, i) => {
      if (i !== this.#slot % LOW_SLOTS) lowest = Math.min(lowest, low);
    });
    return lowest;
  }

  #noteLow(now: number): void {
    const slot = Math.floor(now / LOW_SLOT_MS);
    if (slot !== this.#slot) {
      this.#lows[slot % LOW_SLOTS] = Number.POSITIVE_INFINITY;
      this.#slot = slot;
    }
    this.#lows[slot % LOW_SLOTS] = Math.min(this.#lows[slot % LOW_SLOTS] as number, this.perSecond);
  }
}
