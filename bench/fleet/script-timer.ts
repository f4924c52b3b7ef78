import type { Store } from '../../packages/core/src/store/store.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { patientStore } from './patient-store.ts';
import { RedisMeter } from './redis-meter.ts';
import { decide, prime } from './trips.ts';

/** Calls of scripts, each of them timed by Redis. */
export class ScriptTimer {
  /** µs that each call took in Redis, by what it was. */
  readonly times = new Map<string, number[]>();
  readonly repetitions: number;
  readonly #server: RedisServer;
  readonly #meter: RedisMeter;
  readonly #stores: Store[] = [];

  private constructor(server: RedisServer, meter: RedisMeter, repetitions: number) {
    this.#server = server;
    this.#meter = meter;
    this.repetitions = repetitions;
  }

  static async start(repetitions: number): Promise<ScriptTimer> {
    const server = await RedisServer.start();
    return new ScriptTimer(server, await RedisMeter.open(server.port), repetitions);
  }

  /** A store whose scripts Redis knows already: the first call of one brings its text and has it compiled. */
  async store(service: string): Promise<Store> {
    const store = patientStore(this.#server.client(), service);
    this.#stores.push(store);
    await store.heartbeat('warm-up');
    const primed = await prime(store, ['warm-up']);
    await decide(store, primed);
    await store.snapshot([]);
    await store.leave('warm-up');
    return store;
  }

  /** Times `work`, which calls one script. */
  async note(name: string, work: () => Promise<unknown>): Promise<void> {
    const { scripts, scriptUs } = await this.#meter.during(work);
    // A script that Redis does not know yet is called twice.
    if (scripts === 2) return;
    if (scripts !== 1) throw new Error(`${name}: one script was to run, not ${scripts}`);
    const so = this.times.get(name);
    if (so === undefined) this.times.set(name, [scriptUs]);
    else so.push(scriptUs);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    this.#meter.close();
    await this.#server.stop();
  }
}
