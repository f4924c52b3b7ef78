import type { Sample, Variant, Verdict } from './messages.ts';
import { LENGTH_MS, type Phase } from './schedule.ts';

export const SLOT_MS = 500;
const SLOTS = Math.ceil(LENGTH_MS / SLOT_MS);
/** Service counts as restored from when on this share of requests is answered well, for this long. */
const RESTORED_SHARE = 0.95;
const RESTORED_MS = 1_000;

export type Counts = Record<Verdict, number>;

export const noCounts = (): Counts => ({ full: 0, degraded: 0, error: 0, late: 0 });

export function total({ full, degraded, error, late }: Counts): number {
  return full + degraded + error + late;
}

/** What the clients of one variant saw. */
export class Tally {
  readonly counts = noCounts();
  /** The same, by when the requests were due. */
  readonly slots: Counts[] = Array.from({ length: SLOTS }, noCounts);
  readonly #samples: Sample[] = [];

  add(sample: Sample): void {
    this.counts[sample.verdict]++;
    const slot = Math.floor(sample.at / SLOT_MS);
    if (slot < SLOTS) (this.slots[slot] as Counts)[sample.verdict]++;
    this.#samples.push(sample);
  }

  /** Over all requests. One that nobody waited for any longer took as long as its client waited. */
  quantileMs(q: number): number {
    const sorted = this.#samples.map(({ ms }) => ms).sort((a, b) => a - b);
    return sorted[Math.min(sorted.length - 1, Math.floor(q * sorted.length))] ?? Number.NaN;
  }

  /** Share of full answers to requests that were due before then. */
  fullShareBefore(ms: number): number {
    const before = this.#samples.filter(({ at }) => at < ms);
    return before.filter(({ verdict }) => verdict === 'full').length / Math.max(1, before.length);
  }

  /** Ms from the fault's beginning until clients got good answers again, substitutes among them. */
  answeringAgainMs({ from }: Phase): number | undefined {
    return this.#restoredMs(from, ({ verdict }) => verdict === 'full' || verdict === 'degraded');
  }

  /** Ms from the fault's end until clients got full answers again. */
  fullServiceMs({ to }: Phase): number | undefined {
    return this.#restoredMs(to, ({ verdict }) => verdict === 'full');
  }

  /** The first moment from `start` on that begins a second in which nearly all is well. */
  #restoredMs(start: number, well: (sample: Sample) => boolean): number | undefined {
    const after = this.#samples.filter(({ at }) => at >= start).sort((a, b) => a.at - b.at);
    if (
      good(
        after.filter(({ at }) => at < start + RESTORED_MS),
        well,
      )
    )
      return 0;
    const restored = after.find((sample, index) => {
      if (!well(sample) || sample.at > LENGTH_MS - RESTORED_MS) return false;
      const second = after.slice(index).filter(({ at }) => at < sample.at + RESTORED_MS);
      return good(second, well);
    });
    return restored && restored.at - start;
  }
}

function good(samples: readonly Sample[], well: (sample: Sample) => boolean): boolean {
  return samples.filter(well).length >= RESTORED_SHARE * samples.length;
}

export type Tallies = Readonly<Record<Variant, Tally>>;
