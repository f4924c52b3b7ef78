/** The only source of chance in core. Tests put a seeded one in its place. */
export interface Random {
  /** A number from 0 up to, not including, 1. */
  next(): number;
}

/** Chance as the engine gives it. */
export const systemRandom: Random = { next: () => Math.random() };

/** A reproducible sequence from a 32-bit seed (mulberry32, by Tommy Ettinger, public domain). */
export function seededRandom(seed: number): Random {
  let state = seed >>> 0;
  return {
    next() {
      state = (state + 0x6d2b79f5) >>> 0;
      let mixed = Math.imul(state ^ (state >>> 15), state | 1);
      mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
      return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
    },
  };
}
