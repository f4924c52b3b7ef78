import { type Sample, VARIANTS, type Variant } from './messages.ts';
import { type Counts, noCounts, total } from './tally.ts';

/** What clients saw since it was last told. */
export class Recent {
  #counts = { with: noCounts(), without: noCounts() };

  add({ service, verdict }: Sample): void {
    this.#counts[service as Variant][verdict]++;
  }

  /** Tells it, and begins anew. */
  take(): string {
    const counts = this.#counts;
    this.#counts = { with: noCounts(), without: noCounts() };
    return VARIANTS.map((variant) => `${variant} healing: ${inWords(counts[variant])}`).join(' | ');
  }
}

function inWords(counts: Counts): string {
  const { full, degraded, error, late } = counts;
  const parts = [`${full}/${total(counts)} full`];
  if (degraded > 0) parts.push(`${degraded} degraded`);
  if (error > 0) parts.push(`${error} errors`);
  if (late > 0) parts.push(`${late} too late`);
  return parts.join(', ');
}
