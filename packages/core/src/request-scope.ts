import type { CoarseTime } from './time/coarse-time.ts';

/** What an inbound request passes on to the calls that are made on its behalf. */
export class RequestScope {
  readonly #time: CoarseTime;
  readonly #endsAt: number;

  /** @param endsAt when the request is out of time, by `time`; for ever where nothing says so */
  constructor(time: CoarseTime, endsAt: number) {
    this.#time = time;
    this.#endsAt = endsAt;
  }

  /** Ms that are left for the request; undefined: nothing limits it. */
  get leftMs(): number | undefined {
    return this.#endsAt === Number.POSITIVE_INFINITY ? undefined : this.#endsAt - this.#time.current();
  }
}
