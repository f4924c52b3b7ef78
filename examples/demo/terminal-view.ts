import { BOLD, Canvas, DIM, GREEN, RED, styled, YELLOW } from './canvas.ts';
import { type Told, VARIANTS } from './messages.ts';
import { News } from './news.ts';
import { LENGTH_MS, type Phase, phaseAt, schedule, type UpstreamName } from './schedule.ts';
import { type Counts, SLOT_MS, type Tallies, total } from './tally.ts';
import { seconds, type View } from './view.ts';

const REDRAW_MS = 250;
const NEWS_LINES = 12;
const BARS = '▁▂▃▄▅▆▇█';

const UPSTREAMS: readonly UpstreamName[] = ['payments', 'catalog'];

/** Draws the demo over itself, four times a second. */
export class TerminalView implements View {
  readonly #tallies: Tallies;
  readonly #canvas: Canvas;
  readonly #circuits = new Map<string, string>();
  readonly #levels = new Map<string, Set<string>>();
  readonly #news = new News(NEWS_LINES);
  #next = 0;

  constructor(tallies: Tallies, out: NodeJS.WriteStream) {
    this.#tallies = tallies;
    this.#canvas = new Canvas(out);
  }

  told({ target, text, kind }: Told, at: number): void {
    const circuit = /-> (\S+)/.exec(text)?.[1];
    if (kind === 'circuit' && circuit !== undefined) this.#circuits.set(target, circuit);
    const [, way, level] = /^(up to|undone:) level (\d)/.exec(text) ?? [];
    const levels = this.#levels.get(target) ?? new Set();
    this.#levels.set(target, levels);
    if (level !== undefined && way === 'up to') levels.add(level);
    else if (level !== undefined) levels.delete(level);
    this.#news.add(at, `${target.padEnd(9)} ${text}`, kind === 'circuit' ? BOLD : undefined);
  }

  phase(phase: Phase | undefined, at: number): void {
    this.#news.phase(phase, at);
  }

  tick(at: number): void {
    if (at < this.#next) return;
    this.#next = at + REDRAW_MS;
    this.#draw(at);
  }

  end(): void {
    this.#draw(LENGTH_MS);
  }

  #draw(at: number): void {
    this.#canvas.draw([
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
      ...this.#news.lines,
    ]);
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
