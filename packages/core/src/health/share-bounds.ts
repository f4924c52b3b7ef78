/** Standard deviations between the share that is seen and the one that is taken for certain: 97.5 % to one side. */
export const SURE = 1.96;

/** The share that lies behind `bad` of `calls` at the very least (Wilson's score interval, 1927). `calls` > 0. */
export function shareAtLeast(bad: number, calls: number): number {
  return Math.max(0, middle(bad, calls) - spread(bad, calls));
}

/** The share that lies behind `bad` of `calls` at the very most. `calls` > 0. */
export function shareAtMost(bad: number, calls: number): number {
  return Math.min(1, middle(bad, calls) + spread(bad, calls));
}

function middle(bad: number, calls: number): number {
  return (bad + SURE ** 2 / 2) / (calls + SURE ** 2);
}

function spread(bad: number, calls: number): number {
  const share = bad / calls;
  return (SURE * Math.sqrt(calls * share * (1 - share) + SURE ** 2 / 4)) / (calls + SURE ** 2);
}
