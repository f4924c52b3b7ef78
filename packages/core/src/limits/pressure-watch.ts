import type { CallTally } from './call-tally.ts';

const LEARN_UP_MS = 10_000;
const LEARN_DOWN_MS = 1_000;
/** So much of what comes may stay away unanswered. */
const SHORTFALL = 0.08;
/** So many calls more than usual are no crowd. */
const FEW = 4;
const GIVEN_UP_SHARE = 0.1;

/**
 * Tells an upstream that cannot keep up from one that is far away. In both, latency and the calls in flight rise
 * together (Little's law). But a slow network answers as many as are sent, one latency later, while a queue answers
 * fewer for as long as it grows. So that is looked for: a shortfall of answers that outlasts chance, beside a latency
 * beyond the usual; or callers who give up.
 */
export class PressureWatch {
  /** The usual latency in ms; NaN until it is known. */
  usualMs = Number.NaN;
  /** The best rate of good answers under pressure, a ms. */
  rate = 0;
  readonly #tolerance: number;
  readonly #minSamples: number;
  #usualInFlight = 0;
  #pressed = false;
  #pressedMs = 0;
  #ended = 0;
  #good = 0;
  #gaveUp = 0;
  #growth = 0;

  constructor(tolerance: number, minSamples: number) {
    this.#tolerance = tolerance;
    this.#minSamples = minSamples;
  }

  /** From how long on a call is one that somebody may have given up. */
  get lateMs(): number {
    return this.#tolerance * this.usualMs;
  }

  /** True when the upstream cannot keep up. */
  look(tally: CallTally, inFlight: number, now: number): boolean {
    const ageMs = now - tally.since;
    const pressed = this.#isPressed(tally, inFlight);
    this.#learn(tally.meanMs, inFlight, ageMs);
    if (!pressed) {
      this.release();
      return false;
    }
    return this.#outlasts(tally, inFlight - tally.inFlightThen, ageMs);
  }

  /** Forgets the pressure so far. */
  release(): void {
    this.#pressed = false;
    this.#pressedMs = 0;
    this.#ended = 0;
    this.#good = 0;
    this.#gaveUp = 0;
    this.#growth = 0;
    this.rate = 0;
  }

  #isPressed(tally: CallTally, inFlight: number): boolean {
    if (tally.ended < this.#minSamples || !(inFlight > 2 * this.#usualInFlight + FEW)) return false;
    return tally.meanMs > this.lateMs || isGivenUp(tally.gaveUp, tally.ended);
  }

  #outlasts(tally: CallTally, growth: number, ageMs: number): boolean {
    if (!this.#pressed) {
      // It may hold a silence in which slower answers were on their way.
      this.#pressed = true;
      return false;
    }
    this.#pressedMs += ageMs;
    this.#ended += tally.ended;
    this.#good += tally.good;
    this.#gaveUp += tally.gaveUp;
    this.#growth += growth;
    this.rate = Math.max(this.#good / this.#pressedMs, tally.good / ageMs);
    if (this.#good < this.#minSamples) return false;
    const growing = fallsShort(growth, tally.ended, 0.5) && fallsShort(this.#growth, this.#ended, 2.5);
    if (growing && tally.good >= this.#minSamples / 2) return true;
    return isGivenUp(tally.gaveUp, tally.ended) && isGivenUp(this.#gaveUp, this.#ended);
  }

  #learn(meanMs: number, inFlight: number, ageMs: number): void {
    if (!(meanMs > 0)) return;
    if (Number.isNaN(this.usualMs)) {
      this.usualMs = meanMs;
      this.#usualInFlight = inFlight;
      return;
    }
    const halfLifeMs = meanMs < this.usualMs ? LEARN_DOWN_MS : LEARN_UP_MS;
    this.usualMs += (1 - 2 ** (-ageMs / halfLifeMs)) * (meanMs - this.usualMs);
    this.#usualInFlight += (1 - 2 ** (-ageMs / LEARN_UP_MS)) * (inFlight - this.#usualInFlight);
  }
}

/** Whether calls in flight grew by more than a share of those that came, and `deviations` of their chance. */
function fallsShort(growth: number, ended: number, deviations: number): boolean {
  const came = ended + growth;
  return growth > SHORTFALL * came + deviations * Math.sqrt(came);
}

function isGivenUp(gaveUp: number, ended: number): boolean {
  return gaveUp > GIVEN_UP_SHARE * ended;
}
