import type { InsuredStore } from '../store/insured-store.ts';
import type { FleetView } from '../store/store.ts';
import type { Clock } from '../time/clock.ts';
import type { Probing } from './probing.ts';
import type { SharedCircuit } from './shared-circuit.ts';

/** Claims, renewals and verdicts that are under way at once: a thousand would wait for each other until time is up. */
const LANES = 16;
/** So long is waited, when closing, until leases are given back and verdicts told. */
const LONGEST_END_MS = 1_000;

export interface LanesEnvironment {
  readonly replica: string;
  readonly clock: Clock;
  take(view: FleetView): void;
}

/** Does what probing asks of the store for all targets, one after the other in a few lanes. */
export class ProbingLanes {
  readonly #store: InsuredStore;
  readonly #environment: LanesEnvironment;
  readonly #waiting = new Set<Probing>();
  #busy = 0;

  constructor(store: InsuredStore, environment: LanesEnvironment) {
    this.#store = store;
    this.#environment = environment;
  }

  /** Called every 100 ms or so. */
  probe(circuits: Iterable<SharedCircuit>, now: number): void {
    for (const { probing } of circuits) {
      probing.noteTraffic(now);
      if (probing.isOnTrial) this.#waiting.add(probing);
    }
    while (this.#busy < Math.min(LANES, this.#waiting.size)) void this.#work();
  }

  /** What a target holds is given back, else others would wait for it until its lease ends. */
  async end({ probing }: SharedCircuit): Promise<void> {
    const { replica, clock } = this.#environment;
    if (!this.#store.away) await probing.end(this.#store, replica, clock);
  }

  /** The same for all targets, in bounded time; nothing is begun any more. */
  async endAll(circuits: Iterable<SharedCircuit>): Promise<void> {
    this.#waiting.clear();
    const left = [...circuits].values();
    let isLate = false;
    const endSome = async () => {
      for (const circuit of left) if (!isLate) await this.end(circuit);
    };
    const ended = Promise.all(Array.from({ length: LANES }, endSome));
    await new Promise<void>((resolve) => {
      const timer = this.#environment.clock.setTimer(resolve, LONGEST_END_MS);
      timer.keepAlive(true);
      void ended.then(() => {
        timer.cancel();
        resolve();
      });
    });
    isLate = true;
  }

  async #work(): Promise<void> {
    const { replica, clock, take } = this.#environment;
    this.#busy++;
    for (const probing of this.#waiting) {
      this.#waiting.delete(probing);
      const view = this.#store.away ? undefined : await probing.work(this.#store, replica, clock.now());
      if (view !== undefined) take(view);
    }
    this.#busy--;
  }
}
