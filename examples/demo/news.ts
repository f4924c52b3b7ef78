import { GREEN, RED, styled } from './canvas.ts';
import type { Phase } from './schedule.ts';
import { seconds } from './view.ts';

/** The last things that happened, for a terminal: always the same number of lines. */
export class News {
  readonly #size: number;
  readonly #lines: string[] = [];

  constructor(size: number) {
    this.#size = size;
  }

  get lines(): readonly string[] {
    return Array.from({ length: this.#size }, (_, n) => this.#lines[n] ?? '');
  }

  add(at: number, text: string, style?: number): void {
    const line = `${seconds(at).padStart(7)}  ${text}`;
    this.#lines.push(style === undefined ? line : styled(line, style));
    if (this.#lines.length > this.#size) this.#lines.shift();
  }

  phase(phase: Phase | undefined, at: number): void {
    this.add(at, phase === undefined ? 'the fault ends' : `FAULT: ${phase.title}`, phase ? RED : GREEN);
  }
}
