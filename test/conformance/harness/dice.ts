import { seededRandom } from '@healix/core/testing';

/** Choices that a seed makes, the same each time. */
export class Dice {
  readonly #random: { next(): number };

  constructor(seed: number) {
    this.#random = seededRandom(seed);
  }

  below(limit: number): number {
    return Math.floor(this.#random.next() * limit);
  }

  oneOf<T>(list: readonly T[]): T {
    return list[this.below(list.length)] as T;
  }

  oneIn(count: number): boolean {
    return this.below(count) === 0;
  }
}
