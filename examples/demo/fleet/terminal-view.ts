import type { CircuitState } from '@healix/core';
import { BOLD, Canvas, DIM, GREEN, RED, styled, YELLOW } from '../canvas.ts';
import type { Told } from '../messages.ts';
import { News } from '../news.ts';
import type { Phase } from '../schedule.ts';
import { seconds, type View } from '../view.ts';
import type { FleetTally } from './tally.ts';

const REDRAW_MS = 250;
const NEWS_LINES = 10;
const COLOURS = { closed: GREEN, open: RED, 'half-open': YELLOW } satisfies Record<CircuitState, number>;

/** Draws one half over itself, four times a second. */
export class FleetTerminalView implements View {
  readonly #tally: FleetTally;
  readonly #title: string;
  readonly #lengthMs: number;
  readonly #canvas: Canvas;
  readonly #news = new News(NEWS_LINES);
  #fault: Phase | undefined;
  #next = 0;

  constructor(tally: FleetTally, title: string, lengthMs: number, out: NodeJS.WriteStream) {
    this.#tally = tally;
    this.#title = title;
    this.#lengthMs = lengthMs;
    this.#canvas = new Canvas(out);
  }

  told({ target, text }: Told, at: number): void {
    this.#news.add(at, `${target}  ${text}`, BOLD);
  }

  phase(phase: Phase | undefined, at: number): void {
    this.#fault = phase;
    this.#news.phase(phase, at);
  }

  tick(at: number): void {
    if (at < this.#next) return;
    this.#next = at + REDRAW_MS;
    this.#draw(at);
  }

  end(): void {
    this.#draw(this.#lengthMs);
  }

  #draw(at: number): void {
    const { replicas, reachedDead } = this.#tally;
    const time = `${seconds(Math.min(at, this.#lengthMs))} of ${seconds(this.#lengthMs)}`;
    this.#canvas.draw([
      `${styled(this.#title.toUpperCase(), BOLD)}   ${time}   ${this.#fault?.title ?? 'no fault'}`,
      '',
      styled(`${''.padEnd(12)}${row('circuit', 'requests/s', 'failures', 'probes')}`, DIM),
      ...[...replicas].map(([name, replica]) => {
        const { circuit, failures, probes } = replica;
        const cells = row(circuit, replica.perSecond(at).toFixed(0), `${failures}`, `${probes}`);
        return name.padEnd(12) + cells.replace(circuit, styled(circuit, COLOURS[circuit]));
      }),
      '',
      `${reachedDead.requests} requests have reached the dead upstream, ${reachedDead.probes} of them probes`,
      '',
      ...this.#news.lines,
    ]);
  }
}

function row(circuit: string, ...figures: readonly string[]): string {
  return circuit.padEnd(10) + figures.map((figure) => figure.padStart(12)).join('');
}
