import { type Sample, type Told, VARIANTS } from './messages.ts';
import { LENGTH_MS, type Phase, phaseAt, schedule, type UpstreamName } from './schedule.ts';
import { type Counts, SLOT_MS, type Tallies, total } from './tally.ts';
import { seconds, type View } from './view.ts';

const REDRAW_MS = 250;
const NEWS = 12;
const ESCAPE = String.fromCharCode(27);
const BARS = '▁▂▃▄▅▆▇█';
const ESCAPES = new RegExp(`(${ESCAPE}\\[\\d+m)`);
const GREEN = 32;
const YELLOW = 33;
const RED = 31;
const DIM = 2;
const BOLD = 1;

const UPSTREAMS: readonly UpstreamName[] = ['payments', 'catalog'];

/** Draws the demo over itself, four times a second. */
export class TerminalView implements View {
  readonly #tallies: Tallies;
  readonly #out: NodeJS.WriteStream;
  readonly #circuits = new Map<string, string>();
  readonly #levels = new Map<string, Set<string>>();
  readonly #news: string[] = [];
  #drawn = 0;
  #next = 0;

  constructor(tallies: Tallies, out: NodeJS.WriteStream) {
    this.#tallies = tallies;
    this.#out = out;
  }

  sample(_sample: Sample): void {}

  told({ target, text, kind }: Told, at: number): void {
    const circuit = /-> (\S+)/.exec(text)?.[1];
    if (kind === 'circuit' && circuit !== undefined) this.#circuits.set(target, circuit);
    const [, way, level] = /^(up to|undone:) level (\d)/.exec(text) ?? [];
    const levels = this.#levels.get(target) ?? new Set();
    this.#levels.set(target, levels);
    if (level !== undefined && way === 'up to') levels.add(level);
    else if (level !== undefined) levels.delete(level);
    this.#tell(at, `${target.padEnd(9)} ${text}`, kind === 'circuit' ? BOLD : undefined);
  }

  phase(phase: Phase | undefined, at: number): void {
    this.#tell(at, phase === undefined ? 'the fault ends' : `FAULT: ${phase.title}`, phase ? RED : GREEN);
  }

  tick(at: number): void {
    if (at < this.#next) return;
    this.#next = at + REDRAW_MS;
    this.#draw(at);
  }

  end(): void {
    this.#draw(LENGTH_MS);
  }

  #tell(at: number, text: string, style?: number): void {
    const line = `${seconds(at).padStart(7)}  ${text}`;
    this.#news.push(style === undefined ? line : styled(line, style));
    if (this.#news.length > NEWS) this.#news.shift();
  }

  #draw(at: number): void {
    const lines = [
      `${seconds(Math.min(at, LENGTH_MS))} of ${seconds(LENGTH_MS)}   ${phaseAt(at)?.title ?? 'no fault'}`,
      '',
      ...VARIANTS.map((variant) => {
        const { slots, counts } = this.#tallies[variant];
        const bad = counts.error + counts.late;
        const figures = `${counts.full} full ${counts.degraded} degraded ${bad} failed`;
        return `${variant.padEnd(8)} ${slots.map((slot, n) => bar(slot, n, at)).join('')} ${figures}`;
      }),
      styled(`fault    ${faultLine()}`, DIM),
      styled('         share of good answers; yellow: substitutes among them', DIM),
      '',
      ...UPSTREAMS.map((upstream) => {
        const circuit = this.#circuits.get(upstream) ?? 'closed';
        const levels = [...(this.#levels.get(upstream) ?? [])].sort();
        const shown = circuit === 'closed' ? styled(circuit, GREEN) : styled(circuit, RED);
        return `${upstream.padEnd(8)} circuit ${shown}, recovery levels in force: ${levels.join(' ') || 'none'}`;
      }),
      '',
      ...Array.from({ length: NEWS }, (_, n) => this.#news[n] ?? ''),
    ];
    const up = this.#drawn > 0 ? `\x1b[${this.#drawn}A` : '';
    this.#out.write(`${up}${lines.map((line) => `\x1b[2K${fitted(line, this.#out.columns)}\n`).join('')}`);
    this.#drawn = lines.length;
  }
}

function bar(counts: Counts, slot: number, at: number): string {
  const all = total(counts);
  if (all === 0) return slot * SLOT_MS < at ? '·' : ' ';
  const good = (counts.full + counts.degraded) / all;
  const colour = good < 0.5 ? RED : counts.degraded > 0.1 * all ? YELLOW : good < 0.9 ? YELLOW : GREEN;
  return styled(BARS[Math.min(BARS.length - 1, Math.floor(good * BARS.length))] as string, colour);
}

function faultLine(): string {
  let line = '';
  for (const { from, to, upstream } of schedule) {
    const width = (to - from) / SLOT_MS;
    line = line.padEnd(from / SLOT_MS) + upstream.slice(0, width).padEnd(width, '─');
  }
  return line;
}

function styled(text: string, style: number): string {
  return `\x1b[${style}m${text}\x1b[0m`;
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
