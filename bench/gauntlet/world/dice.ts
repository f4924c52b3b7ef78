/** What a number is drawn for. */
export const FOR = { service: 1, serviceTwin: 2, error: 3, tail: 4, userRetry: 5, stretch: 6 } as const;

/**
 * A number in [0, 1) that depends on nothing but what it is drawn for, so that the same attempt of the same request has the
 * same luck whoever makes it: what pairs the runs of two contenders. (Murmur3's mixing, by Austin Appleby.)
 */
export function draw(seed: number, request: number, attempt: number, purpose: number): number {
  let hash = mix(seed ^ 0x9747b28c, request);
  hash = mix(hash, attempt);
  hash = mix(hash, purpose);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return ((hash ^ (hash >>> 16)) >>> 0) / 2 ** 32;
}

function mix(hash: number, value: number): number {
  let k = Math.imul(value, 0xcc9e2d51);
  k = Math.imul((k << 15) | (k >>> 17), 0x1b873593);
  const mixed = hash ^ k;
  return (Math.imul((mixed << 13) | (mixed >>> 19), 5) + 0xe6546b64) | 0;
}

/** Two uniform numbers as one of a log-normal distribution (Box and Muller, 1958). */
export function logNormal(mean: number, sigma: number, u: number, v: number): number {
  const z = Math.sqrt(-2 * Math.log(1 - u)) * Math.cos(2 * Math.PI * v);
  return mean * Math.exp(sigma * z - (sigma * sigma) / 2);
}
