/**
 * An exponentially weighted mean whose weights fall with time, so that it means the same however often values come:
 * after `halfLifeMs` a value counts half. Until the first half-life is over it is nearly the plain mean. The deviation is
 * kept beside it in one pass (West, "Updating mean and variance estimates", 1979).
 */
export class Ewma {
  readonly #halfLifeMs: number;
  #weight = 0;
  #squares = 0;
  #mean = 0;
  #samples = 0;
  #last = Number.NEGATIVE_INFINITY;

  /** @param halfLifeMs time after which a value counts half */
  constructor(halfLifeMs: number) {
    this.#halfLifeMs = halfLifeMs;
  }

  /** @param weight how many values this one stands for */
  add(value: number, now: number, weight = 1): void {
    const kept = now > this.#last ? 2 ** ((this.#last - now) / this.#halfLifeMs) : 1;
    this.#last = Math.max(this.#last, now);
    this.#samples = this.#samples * kept + 1;
    this.#weight = this.#weight * kept + weight;
    const off = value - this.#mean;
    if (this.#weight > 0) this.#mean += (off * weight) / this.#weight;
    this.#squares = this.#squares * kept + weight * off * (value - this.#mean);
  }

  /** 0 before the first value. */
  get mean(): number {
    return this.#mean;
  }

  /** The values' standard deviation around the mean. */
  get deviation(): number {
    return this.#weight > 0 ? Math.sqrt(Math.max(0, this.#squares) / this.#weight) : 0;
  }

  /** How many values are behind it, each counted for what it still weighs. */
  get samples(): number {
    return this.#samples;
  }

  clear(): void {
    this.#weight = 0;
    this.#squares = 0;
    this.#mean = 0;
    this.#samples = 0;
    this.#last = Number.NEGATIVE_INFINITY;
  }
}
