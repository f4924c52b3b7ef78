import { seededRandom } from '../statistics.ts';

/** Above so many expected events a normal distribution is close enough. */
const MANY = 25;
/** Up to so many trials are made one by one. */
const FEW = 64;

/** Draws from the distributions that traffic is made of, reproducibly. */
export class Chance {
  readonly uniform: () => number;
  #spare: number | undefined;

  constructor(seed: number) {
    this.uniform = seededRandom(seed);
  }

  between(low: number, high: number): number {
    return low + (high - low) * this.uniform();
  }

  /** Evenly on a logarithmic scale. */
  logBetween(low: number, high: number): number {
    return Math.exp(this.between(Math.log(low), Math.log(high)));
  }

  /** Standard normal (Box and Muller, 1958). */
  normal(): number {
    if (this.#spare !== undefined) {
      const value = this.#spare;
      this.#spare = undefined;
      return value;
    }
    const radius = Math.sqrt(-2 * Math.log(1 - this.uniform()));
    const angle = 2 * Math.PI * this.uniform();
    this.#spare = radius * Math.sin(angle);
    return radius * Math.cos(angle);
  }

  poisson(mean: number): number {
    if (mean > MANY) return Math.max(0, Math.round(mean + Math.sqrt(mean) * this.normal()));
    const floor = Math.exp(-mean);
    let count = -1;
    for (let product = 1; product > floor; count++) product *= this.uniform();
    return Math.max(0, count);
  }

  binomial(trials: number, share: number): number {
    if (share <= 0 || trials === 0) return 0;
    if (share >= 1) return trials;
    if (trials <= FEW) {
      let hits = 0;
      for (let i = 0; i < trials; i++) if (this.uniform() < share) hits++;
      return hits;
    }
    if (trials * share < MANY) return Math.min(trials, this.poisson(trials * share));
    if (trials * (1 - share) < MANY) return trials - Math.min(trials, this.poisson(trials * (1 - share)));
    const spread = Math.sqrt(trials * share * (1 - share));
    return Math.max(0, Math.min(trials, Math.round(trials * share + spread * this.normal())));
  }
}

/** Noise with a memory: deviates by `spread`, and forgets half of it in `halfLifeS`. */
export class Drift {
  readonly #chance: Chance;
  readonly #spread: number;
  readonly #kept: number;
  #value = 0;

  constructor(chance: Chance, spread: number, halfLifeS: number, stepS: number) {
    this.#chance = chance;
    this.#spread = spread;
    this.#kept = 2 ** (-stepS / halfLifeS);
  }

  next(): number {
    const fresh = this.#spread * Math.sqrt(1 - this.#kept ** 2) * this.#chance.normal();
    this.#value = this.#value * this.#kept + fresh;
    return this.#value;
  }
}
