import type { Priority } from '../figures.ts';
import type { Appointment, Calendar } from './calendar.ts';

/** Why a caller's signal aborts: the deadline has passed. */
const CALLER_GONE = Object.assign(new Error('the caller has gone'), { name: 'AbortError' });

/** What is known of a request before it is made. */
export interface RequestTerms {
  readonly id: number;
  /** When it came, and when its caller will have gone. */
  readonly at: number;
  readonly deadlineAt: number;
  readonly idempotent: boolean;
  readonly priority: Priority;
  /** Which of the upstream's routes it is for. */
  readonly route: number;
}

/** One request as a contender sees it. */
export class CallRequest implements RequestTerms {
  readonly id: number;
  readonly at: number;
  readonly deadlineAt: number;
  readonly idempotent: boolean;
  readonly priority: Priority;
  readonly route: number;
  /** How often it was sent, and how often work on it has begun. */
  attempts = 0;
  executions = 0;

  readonly #calendar: Calendar;
  #controller: AbortController | undefined;
  #abort: Appointment | undefined;

  constructor(terms: RequestTerms, calendar: Calendar) {
    this.id = terms.id;
    this.at = terms.at;
    this.deadlineAt = terms.deadlineAt;
    this.idempotent = terms.idempotent;
    this.priority = terms.priority;
    this.route = terms.route;
    this.#calendar = calendar;
  }

  /** Aborts at the deadline, when the caller goes. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      const controller = new AbortController();
      this.#controller = controller;
      this.#abort = this.#calendar.at(this.deadlineAt, () => controller.abort(CALLER_GONE));
    }
    return this.#controller.signal;
  }

  /** The caller has its answer: the signal will not abort. */
  answered(): void {
    this.#abort?.cancel();
  }
}
