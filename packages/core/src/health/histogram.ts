const SUB_BUCKETS = 16;
const LARGEST_US = 2 ** 28 - 1;
const BUCKETS = bucketOf(LARGEST_US) + 1;

function bucketOf(us: number): number {
  if (us < SUB_BUCKETS) return us;
  const octave = 31 - Math.clz32(us);
  return (octave - 3) * SUB_BUCKETS + ((us >>> (octave - 4)) & (SUB_BUCKETS - 1));
}

function middleOf(bucket: number): number {
  if (bucket < SUB_BUCKETS) return bucket + 0.5;
  const octave = Math.floor(bucket / SUB_BUCKETS) + 3;
  const width = 2 ** (octave - 4);
  return (SUB_BUCKETS + (bucket % SUB_BUCKETS)) * width + width / 2;
}

/** Where a reader of `quantilesSince` left off. */
export class LatencyMark {
  /** @internal */
  turns = 0;
  /** @internal */
  counts: Uint32Array | undefined;
}

/**
 * Latencies over a sliding time, log-linear: 16 buckets an octave, so that a quantile is within 1/16 of the
 * truth from 16 µs to 268 s (after HdrHistogram, by Gil Tene). Two halves take turns, so what is read covers
 * the last half to whole of `windowMs`. The buckets are made with the first latency.
 */
export class LatencyHistogram {
  readonly #halfMs: number;
  #current: Uint32Array | undefined;
  #previous: Uint32Array | undefined;
  #turnsAt = Number.NEGATIVE_INFINITY;
  #turns = 0;

  constructor(windowMs = 10_000) {
    this.#halfMs = windowMs / 2;
  }

  record(latencyMs: number, weight: number, now: number): void {
    if (now >= this.#turnsAt) this.#turn(now);
    const us = latencyMs <= 0 ? 0 : Math.min(latencyMs * 1_000, LARGEST_US) >>> 0;
    const counts = this.#current as Uint32Array;
    const bucket = bucketOf(us);
    counts[bucket] = (counts[bucket] as number) + weight;
  }

  /** Latencies in ms at the given quantiles (0 to 1), each undefined while nothing was recorded. */
  quantiles(wanted: readonly number[], now: number): (number | undefined)[] {
    if (this.#current === undefined) return wanted.map(() => undefined);
    if (now >= this.#turnsAt) this.#turn(now);
    const current = this.#current;
    const previous = this.#previous;
    return quantilesOf(wanted, (bucket) => (current[bucket] as number) + (previous?.[bucket] ?? 0));
  }

  /**
   * The same of what was recorded since `mark` was last given here, and moves it: an interval's own quantiles, at no
   * further cost for whoever records. Of an interval longer than half the window, those of what the window still holds.
   */
  quantilesSince(mark: LatencyMark, wanted: readonly number[], now: number): (number | undefined)[] {
    if (this.#current === undefined) return wanted.map(() => undefined);
    if (now >= this.#turnsAt) this.#turn(now);
    const current = this.#current;
    const turned = this.#turns - mark.turns;
    const previous = turned > 0 ? this.#previous : undefined;
    mark.counts ??= new Uint32Array(BUCKETS);
    const { counts } = mark;
    const known = turned > 1 || (turned > 0 && previous === undefined) ? undefined : counts;
    const found = quantilesOf(
      wanted,
      (bucket) => (current[bucket] as number) + (previous?.[bucket] ?? 0) - (known?.[bucket] ?? 0),
    );
    counts.set(current);
    mark.turns = this.#turns;
    return found;
  }

  #turn(now: number): void {
    const lastHalfCounts = now - this.#turnsAt < this.#halfMs;
    const spare = this.#previous;
    this.#previous = lastHalfCounts ? this.#current : undefined;
    this.#current = (lastHalfCounts ? spare : (spare ?? this.#current)) ?? new Uint32Array(BUCKETS);
    this.#current.fill(0);
    this.#turns++;
    this.#turnsAt = lastHalfCounts ? this.#turnsAt + this.#halfMs : now + this.#halfMs;
  }
}

function quantilesOf(wanted: readonly number[], countOf: (bucket: number) => number): (number | undefined)[] {
  let total = 0;
  for (let bucket = 0; bucket < BUCKETS; bucket++) total += countOf(bucket);
  return wanted.map((quantile) => {
    if (total === 0) return undefined;
    let left = Math.max(1, Math.ceil(quantile * total));
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      left -= countOf(bucket);
      if (left <= 0) return middleOf(bucket) / 1_000;
    }
    return undefined;
  });
}
