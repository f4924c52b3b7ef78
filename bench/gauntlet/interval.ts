/** A mean with its 95 % confidence interval. */
export interface Interval {
  readonly mean: number;
  readonly low: number;
  readonly high: number;
}

/** 97.5 % quantiles of Student's t by degrees of freedom, from 1 on. */
const T = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131,
  2.12, 2.11, 2.101, 2.093, 2.086,
];
const T_OF_MANY = 1.96;

/** The mean of a few values that are near a normal distribution. Of one alone, the interval is all numbers. */
export function intervalOf(values: readonly number[]): Interval {
  const n = values.length;
  const mean = values.reduce((sum, value) => sum + value, 0) / n;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  if (n < 2) return { mean, low: Number.NEGATIVE_INFINITY, high: Number.POSITIVE_INFINITY };
  const half = ((T[n - 2] ?? T_OF_MANY) * Math.sqrt(squares / (n - 1))) / Math.sqrt(n);
  return { mean, low: mean - half, high: mean + half };
}

/** What one has over the other in the same seeds: pairs differ less than their members do. */
export function differenceOf(ones: readonly number[], others: readonly number[]): Interval {
  return intervalOf(ones.map((one, index) => one - (others[index] as number)));
}
