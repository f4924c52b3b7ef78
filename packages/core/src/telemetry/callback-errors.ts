import { oneLine } from './one-line.ts';

/** What the callbacks of the user's, and recovery strategies, have thrown. */
export interface CallbackErrorReport {
  readonly target: string;
  /** Which callback: `classify`, `fallback`, `listener`, `strategy NAME`, ... */
  readonly callback: string;
  readonly count: number;
  readonly lastError: string;
}

const MOST_KINDS = 200;

/** Counts what callbacks throw, and tells of each kind once, as a process warning. */
export class CallbackErrors {
  readonly #reports = new Map<
    string,
    { target: string; callback: string; count: number; lastError: string }
  >();

  note(target: string, callback: string, error: unknown): void {
    const lastError = oneLine(messageOf(error));
    let key = `${target} ${callback}`;
    if (this.#reports.size >= MOST_KINDS && !this.#reports.has(key)) {
      [key, target, callback] = ['others', 'other targets', 'callbacks'];
    }
    const known = this.#reports.get(key);
    if (known !== undefined) {
      known.count++;
      known.lastError = lastError;
    } else {
      this.#reports.set(key, { target, callback, count: 1, lastError });
      process.emitWarning(`${oneLine(`${callback} of ${target}`)} threw: ${lastError}`, {
        code: 'HEALIX_CALLBACK',
        detail: 'Reported once; counted in status().',
      });
    }
  }

  report(): CallbackErrorReport[] {
    return [...this.#reports.values()].map((report) => ({ ...report }));
  }
}

function messageOf(error: unknown): string {
  try {
    return error instanceof Error ? `${error.name}: ${error.message}` : String(error);
  } catch {
    return 'something that cannot be shown';
  }
}
