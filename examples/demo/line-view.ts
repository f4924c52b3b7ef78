import { type Sample, type Told, VARIANTS } from './messages.ts';
import type { Phase } from './schedule.ts';
import { type Counts, noCounts, total } from './tally.ts';
import { seconds, type View } from './view.ts';

/** Where there is no terminal: one line for each thing that happens, and one for what clients saw lately. */
export class LineView implements View {
  readonly #everyMs: number;
  #next: number;
  #recent = { with: noCounts(), without: noCounts() };

  constructor(everyMs: number) {
    this.#everyMs = everyMs;
    this.#next = everyMs;
  }

  sample({ variant, verdict }: Sample): void {
    this.#recent[variant][verdict]++;
  }

  told({ target, text }: Told, at: number): void {
    this.#line(at, `${target}: ${text}`);
  }

  phase(phase: Phase | undefined, at: number): void {
    this.#line(at, phase === undefined ? 'FAULT ENDS' : `FAULT: ${phase.title}`);
  }

  tick(at: number): void {
    if (at < this.#next) return;
    this.#next += this.#everyMs;
    this.#line(
      at,
      VARIANTS.map((variant) => `${variant} healing: ${inWords(this.#recent[variant])}`).join(' | '),
    );
    this.#recent = { with: noCounts(), without: noCounts() };
  }

  end(): void {}

  #line(at: number, text: string): void {
    console.log(`${seconds(at).padStart(7)}  ${text}`);
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
