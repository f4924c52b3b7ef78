import type { Priority } from './config/schema.ts';
import type { CoarseTime } from './time/coarse-time.ts';

/** What an inbound request passes on to the calls that are made on its behalf. */
export class RequestScope {
  readonly #time: CoarseTime;
  readonly #endsAt: number;
  /** How much the request matters, where that was said. */
  readonly priority: Priority | undefined;

  /** @param endsAt when the request is out of time, by `time`; for ever where nothing says so */
  constructor(time: CoarseTime, endsAt: number, priority?: Priority) {
    this.priority = priority;
    this.#time = time;
    this.#endsAt = endsAt;
  }

  /** Ms that are left for the request; undefined: nothing limits it. */
  get leftMs(): number | undefined {
    return this.#endsAt === Number.POSITIVE_INFINITY ? undefined : this.#endsAt - this.#time.current();
  }
}
