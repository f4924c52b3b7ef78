const ESCAPE = String.fromCharCode(27);
const ESCAPES = new RegExp(`(${ESCAPE}\\[\\d+m)`);

export const GREEN = 32;
export const YELLOW = 33;
export const RED = 31;
export const DIM = 2;
export const BOLD = 1;

export function styled(text: string, style: number): string {
  return `\x1b[${style}m${text}\x1b[0m`;
}

/** A part of the terminal that is drawn over itself. */
export class Canvas {
  readonly #out: NodeJS.WriteStream;
  #drawn = 0;

  constructor(out: NodeJS.WriteStream) {
    this.#out = out;
  }

  draw(lines: readonly string[]): void {
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.#out.write(`${up}${lines.map((line) => `\x1b[2K${fitted(line, this.#out.columns)}\n`).join('')}`);
    this.#drawn = lines.length;
  }
}

/** Cut to the terminal's width, lest a line that wraps upset the redrawing. Escapes have no width. */
function fitted(line: string, columns = 80): string {
  let width = 0;
  let cut = '';
  for (const [at, part] of line.split(ESCAPES).entries()) {
    if (at % 2 === 1) {
      cut += part;
    } else {
      cut += part.slice(0, Math.max(0, columns - width));
      width += part.length;
    }
  }
  return cut;
}
