import { StoreError } from '../../errors.ts';
import type { Clock } from '../../time/clock.ts';
import type { FleetEntry, FleetNews } from '../store.ts';

const MOST_CALLS = 10_000;
/** Calls whose news are read at once: a replica that was away for long reads on in steps. */
const MOST_CALLS_A_READ = 200;

/** Orders what calls have published: ms, and a number within it. */
interface Position {
  readonly ms: number;
  readonly sequence: number;
}

interface Published extends Position {
  readonly entries: readonly FleetEntry[];
}

/** What has changed, in order. The oldest news go when there are too many. */
export class NewsStream {
  readonly #clock: Clock;
  #calls: Published[] = [];
  #last: Position = { ms: 0, sequence: 0 };
  readonly #readers = new Set<() => void>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** The position of the last news. */
  get cursor(): string {
    return written(this.#last);
  }

  /** All that one call has changed. */
  publish(now: number, entries: readonly FleetEntry[]): void {
    const { ms, sequence } = this.#last;
    this.#last = now > ms ? { ms: now, sequence: 0 } : { ms, sequence: sequence + 1 };
    this.#calls.push({ ...this.#last, entries });
    if (this.#calls.length >= 2 * MOST_CALLS) this.#calls = this.#calls.slice(-MOST_CALLS);
    for (const wake of [...this.#readers]) wake();
  }

  /** News after `cursor`; waits up to `waitMs` for some. Rejects with the reason of the first signal that aborts. */
  read(cursor: string, waitMs: number, signals: readonly AbortSignal[]): Promise<FleetNews> {
    const after = parse(cursor);
    return new Promise((resolve, reject) => {
      const finish = (settle: () => void) => {
        this.#readers.delete(look);
        timer?.cancel();
        for (const signal of signals) signal.removeEventListener('abort', abort);
        settle();
      };
      const look = () => {
        const news = this.#after(after);
        if (news !== undefined) finish(() => resolve(news));
      };
      const giveUp = () => finish(() => resolve({ cursor, entries: [] }));
      const abort = () => finish(() => reject(signals.find(({ aborted }) => aborted)?.reason));
      const timer = waitMs >= 1 ? this.#clock.setTimer(giveUp, waitMs) : undefined;
      this.#readers.add(look);
      for (const signal of signals) signal.addEventListener('abort', abort, { once: true });
      if (signals.some(({ aborted }) => aborted)) return abort();
      look();
      if (timer === undefined) giveUp();
    });
  }

  #after(position: Position): FleetNews | undefined {
    let from = this.#calls.length;
    while (from > 0 && isBefore(position, this.#calls[from - 1] as Published)) from--;
    const calls = this.#calls.slice(from, from + MOST_CALLS_A_READ);
    const last = calls.at(-1);
    if (last === undefined) return undefined;
    return { cursor: written(last), entries: calls.flatMap(({ entries }) => entries) };
  }
}

function isBefore(a: Position, b: Position): boolean {
  return a.ms < b.ms || (a.ms === b.ms && a.sequence < b.sequence);
}

function written({ ms, sequence }: Position): string {
  return `${ms}-${sequence}`;
}

function parse(cursor: string): Position {
  const [, ms, sequence] = /^(\d{1,20})-(\d{1,20})$/.exec(cursor) ?? [];
  if (ms === undefined) throw new StoreError('malformed', 'no cursor of a stream');
  return { ms: Number(ms), sequence: Number(sequence) };
}
