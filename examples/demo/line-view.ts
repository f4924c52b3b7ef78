import type { Told } from './messages.ts';
import type { Phase } from './schedule.ts';
import { seconds, type View } from './view.ts';

/** Where there is no terminal: one line for each thing that happens, and now and then a summary. */
export class LineView implements View {
  readonly #everyMs: number;
  readonly #summary: () => string;
  #next: number;

  constructor(everyMs: number, summary: () => string) {
    this.#everyMs = everyMs;
    this.#summary = summary;
    this.#next = everyMs;
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
    this.#line(at, this.#summary());
  }

  end(): void {}

  #line(at: number, text: string): void {
    console.log(`${seconds(at).padStart(7)}  ${text}`);
  }
}
