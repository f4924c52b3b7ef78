import type { Outcome } from '../config/schema.ts';

/** What calls came to over some time. */
export interface CallFigures {
  readonly began: number;
  /** Those that had an answer, good or bad. */
  readonly answered: number;
  readonly bad: number;
  /** Good ones whose latency is known, and the sum of the logarithms of their latencies in ms. */
  readonly timed: number;
  readonly logMs: number;
}

export const NO_CALLS: CallFigures = { began: 0, answered: 0, bad: 0, timed: 0, logMs: 0 };

const SAMPLES = 101;
const FIELDS = 6;
/** The weight of the last answer in `good`: some five of them count. */
const LAST = 0.2;
/** Bad answers further apart than this are not in a row. */
const IN_A_ROW_MS = 60_000;
const SHORTEST_MS = 0.1;

/**
 * Counts what the calls of one host come to. The request path only ever adds; a window is the difference between now
 * and a sample taken some time ago, as in `HealthMonitor`. Latencies are summed as logarithms: their geometric mean
 * hardly moves with the few calls of a long tail.
 */
export class CallLog {
  /** Calls whose answer has not begun. */
  waiting = 0;
  /** Share of good ones among the last few answers, the last one counting most. */
  good = 1;
  /** Bad answers in a row, and when the last of them came. */
  streak = 0;
  #lastBad = Number.NEGATIVE_INFINITY;
  #began = 0;
  #answered = 0;
  #bad = 0;
  #timed = 0;
  #logMs = 0;
  #samples: Float64Array | undefined;
  #sampled = 0;

  enter(): void {
    this.waiting++;
    this.#began++;
  }

  /** An answer has begun, or will never come. */
  hear(): void {
    this.waiting--;
  }

  /** @param latencyMs undefined where it is not known */
  leave(outcome: Outcome, latencyMs: number | undefined, now: number): void {
    if (outcome === 'ignored') return;
    this.#answered++;
    if (outcome !== 'success') {
      this.#noteBad(now);
      return;
    }
    this.streak = 0;
    this.good += LAST * (1 - this.good);
    if (latencyMs === undefined) return;
    this.#timed++;
    this.#logMs += Math.log(Math.max(SHORTEST_MS, latencyMs));
  }

  /** Marks a moment that windows may begin at. */
  sample(now: number): void {
    this.#samples ??= new Float64Array(SAMPLES * FIELDS);
    const counts = [now, this.#began, this.#answered, this.#bad, this.#timed, this.#logMs];
    this.#samples.set(counts, (this.#sampled % SAMPLES) * FIELDS);
    this.#sampled++;
  }

  /** What happened since `from`: since the last sample before it, or since the beginning where there is none. */
  since(from: number): CallFigures {
    const [, began, answered, bad, timed, logMs] = this.#at(from);
    return {
      began: this.#began - began,
      answered: this.#answered - answered,
      bad: this.#bad - bad,
      timed: this.#timed - timed,
      logMs: this.#logMs - logMs,
    };
  }

  #noteBad(now: number): void {
    this.#bad++;
    this.streak = now - this.#lastBad > IN_A_ROW_MS ? 1 : this.streak + 1;
    this.#lastBad = now;
    this.good -= LAST * this.good;
  }

  /** The last sample at or before `from`; where all are later, the beginning, or the oldest of a full ring. */
  #at(from: number): [number, number, number, number, number, number] {
    const samples = this.#samples;
    const oldest = Math.max(0, this.#sampled - SAMPLES);
    let index = this.#sampled - 1;
    while (index > oldest && (samples?.[(index % SAMPLES) * FIELDS] ?? 0) > from) index--;
    const at = (index % SAMPLES) * FIELDS;
    const isBeginning = index < 0 || (oldest === 0 && (samples?.[at] ?? 0) > from);
    if (samples === undefined || isBeginning) return [from, 0, 0, 0, 0, 0];
    return [...samples.subarray(at, at + FIELDS)] as [number, number, number, number, number, number];
  }
}

export function sumOf(all: readonly CallFigures[]): CallFigures {
  return all.reduce(
    (sum, { began, answered, bad, timed, logMs }) => ({
      began: sum.began + began,
      answered: sum.answered + answered,
      bad: sum.bad + bad,
      timed: sum.timed + timed,
      logMs: sum.logMs + logMs,
    }),
    NO_CALLS,
  );
}

/** What is left of `all` without `own`. */
export function without(all: CallFigures, own: CallFigures): CallFigures {
  return {
    began: all.began - own.began,
    answered: all.answered - own.answered,
    bad: all.bad - own.bad,
    timed: all.timed - own.timed,
    logMs: all.logMs - own.logMs,
  };
}

/** The geometric mean of the latencies in ms; undefined while none is known. */
export function typicalMs({ timed, logMs }: CallFigures): number | undefined {
  return timed === 0 ? undefined : Math.exp(logMs / timed);
}
