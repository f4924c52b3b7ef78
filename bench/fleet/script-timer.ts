import type { Store } from '../../packages/core/src/store/store.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { median } from '../statistics.ts';
import { patientStore } from './patient-store.ts';
import { RedisMeter } from './redis-meter.ts';
import { decide, prime } from './trips.ts';

/** µs of one call in Redis. */
export interface Timed {
  /** By the wall clock of the server, which runs on while another process has the core. */
  readonly wall: number;
  /** CPU time of the server, what it took to ask for it left out. */
  readonly cpu: number;
}

const CALIBRATIONS = 51;

/** Calls of scripts, each of them timed by Redis. */
export class ScriptTimer {
  /** All calls, by what they were. */
  readonly times = new Map<string, Timed[]>();
  readonly repetitions: number;
  readonly #server: RedisServer;
  readonly #meter: RedisMeter;
  /** What it takes to ask, in µs. */
  readonly #askingUs: number;
  readonly #stores: Store[] = [];

  private constructor(server: RedisServer, meter: RedisMeter, askingUs: number, repetitions: number) {
    this.#server = server;
    this.#meter = meter;
    this.#askingUs = askingUs;
    this.repetitions = repetitions;
  }

  static async start(repetitions: number): Promise<ScriptTimer> {
    const server = await RedisServer.start();
    const meter = await RedisMeter.open(server.port);
    const asking: number[] = [];
    for (let i = 0; i < CALIBRATIONS; i++) asking.push((await meter.during(async () => {})).cpuUs);
    return new ScriptTimer(server, meter, median(asking), repetitions);
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
    const { scripts, scriptUs: wall, cpuUs } = await this.#meter.during(work);
    // A script that Redis does not know yet is called twice.
    if (scripts === 2) return;
    if (scripts !== 1) throw new Error(`${name}: one script was to run, not ${scripts}`);
    const timed = { wall, cpu: cpuUs - this.#askingUs };
    const so = this.times.get(name);
    if (so === undefined) this.times.set(name, [timed]);
    else so.push(timed);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#stores.map((store) => store.close()));
    this.#meter.close();
    await this.#server.stop();
  }
}
