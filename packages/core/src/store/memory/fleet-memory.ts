import { type Clock, systemClock } from '../../time/clock.ts';
import { MemoryFleet } from './memory-fleet.ts';

/** The place where the `MemoryStore`s of one process meet. It holds a fleet for each service that was opened in it. */
export class FleetMemory {
  readonly #clock: Clock;
  /** Added to the clock's time, which may be near 0: here, 0 means never. */
  readonly #offsetMs: number;
  readonly #fleets = new Map<string, MemoryFleet>();
  #primary = 1;

  /** @param clock the only time by which it judges, in whole ms of `now()` */
  constructor(clock: Clock = systemClock) {
    this.#clock = clock;
    this.#offsetMs = clock.wall() - clock.now();
  }

  /** @internal */
  get now(): number {
    return Math.floor(this.#clock.now() + this.#offsetMs);
  }

  /** @internal Names the server that is in charge. */
  get run(): string {
    return `${this.#primary}`;
  }

  /** @internal */
  fleet(service: string): MemoryFleet {
    const known = this.#fleets.get(service);
    if (known !== undefined) return known;
    const fleet = new MemoryFleet(this.#clock);
    this.#fleets.set(service, fleet);
    return fleet;
  }

  /** From now on it is as if another server were in charge, as after a failover in Redis: for tests. */
  failOver(): void {
    this.#primary += 1;
  }
}
