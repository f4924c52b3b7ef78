/** A median with its 95 % confidence interval. */
export interface Estimate {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

const RESAMPLES = 5_000;

/** The middle value; of an even number of values, the mean of the middle two. NaN for none. */
export function median(values: Iterable<number>): number {
  return quantile(Float64Array.from(values).sort(), 0.5);
}

/** A quantile of values in ascending order, interpolated between neighbours. */
export function quantile(sorted: ArrayLike<number>, share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)] ?? Number.NaN;
  const above = sorted[Math.ceil(at)] ?? Number.NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/**
 * The median of all values, with a percentile bootstrap interval (Efron). Whole groups are drawn, since what
 * was measured together (in one process, say) errs together: an interval over single values would be too
 * narrow. The same values always give the same interval.
 */
export function estimate(groups: readonly (readonly number[])[]): Estimate {
  const random = seededRandom(1);
  const medians = new Float64Array(RESAMPLES);
  for (let i = 0; i < RESAMPLES; i++) {
    const drawn = groups.map(() => groups[Math.floor(random() * groups.length)] ?? []);
    medians[i] = median(drawn.flat());
  }
  medians.sort();
  return { median: median(groups.flat()), low: quantile(medians, 0.025), high: quantile(medians, 0.975) };
}

/** As `estimate`, for values that were measured independently of each other. */
export function estimateOf(values: readonly number[]): Estimate {
  return estimate(values.map((value) => [value]));
}

/** Numbers in [0, 1) that a seed determines (mulberry32, by Tommy Ettinger). */
export function seededRandom(seed: number): () => number {
  let state = seed | 0;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** The same values in a random order. */
export function shuffled<T>(values: readonly T[], random: () => number): T[] {
  return values
    .map((value) => ({ value, key: random() }))
    .sort((a, b) => a.key - b.key)
    .map(({ value }) => value);
}
