import type { Redis } from 'ioredis';
import type { VirtualClock } from '../../../packages/core/src/time/virtual-clock.ts';
import type { ScriptLibrary, ScriptName, ServerState } from './lua.ts';

/** A script that has run, as the server saw it. */
export interface Execution {
  readonly primary: Primary;
  readonly script: ScriptName;
  /** The caller's objects: ARGV without the first. */
  readonly inputs: readonly Fields[];
  readonly replies: readonly Fields[];
}

export type Fields = Readonly<Record<string, unknown>>;

/** One Redis server of the model: a database of a real one, with a clock, a run id and troubles of its own. */
export class Primary {
  readonly run: string;
  /** How far its clock is ahead, in ms. */
  skewMs = 0;
  readOnly = false;
  /** Refuses connections. */
  down = false;
  readonly #server: Redis;
  readonly #library: ScriptLibrary;
  readonly #clock: VirtualClock;
  readonly #blocked = new Set<() => void>();
  readonly #frozen: (() => void)[] = [];
  #isFrozen = false;

  constructor(server: Redis, library: ScriptLibrary, clock: VirtualClock, run: string) {
    this.#server = server;
    this.#library = library;
    this.#clock = clock;
    this.run = run;
  }

  freeze(): void {
    this.#isFrozen = true;
  }

  /** What came while it was frozen is done now. */
  thaw(): void {
    this.#isFrozen = false;
    for (const go of this.#frozen.splice(0)) go();
  }

  /** Runs what a connection of the store's sends. */
  async execute(command: string, args: readonly string[], heard: (execution: Execution) => void) {
    if (this.#isFrozen) await new Promise<void>((resolve) => this.#frozen.push(resolve));
    if (command === 'evalsha') return this.#script(args, heard);
    if (command === 'xread') return this.#read(args);
    throw new Error(`the model knows no ${command}`);
  }

  /** Everything is gone. */
  async flush(): Promise<void> {
    await this.#clock.hold(this.#server.flushdb());
  }

  /** All of its keys, as they are now, put in place of what `other` has. */
  async copyTo(other: Primary): Promise<void> {
    const database = other.#server.options.db ?? 0;
    await other.flush();
    const keys = await this.#clock.hold(this.#server.keys('*'));
    for (const key of keys) await this.#clock.hold(this.#server.copy(key, key, 'DB', database));
  }

  /** An entry of the stream that no script has written. */
  async inject(stream: string, entry: string): Promise<void> {
    await this.#clock.hold(this.#server.xadd(stream, `${this.#now}-*`, 'e', entry));
    this.#wake();
  }

  get #now(): number {
    return Math.floor(this.#clock.wall() + this.skewMs);
  }

  async #script(args: readonly string[], heard: (execution: Execution) => void): Promise<unknown> {
    const [digest = '', count = '0', ...rest] = args;
    const { name, sha } = this.#library.find(digest);
    const state: ServerState = { now: this.#now, run: this.run, readOnly: this.readOnly };
    const call = this.#server.evalsha(sha, Number(count), ...rest, JSON.stringify(state));
    const [reply, published] = (await this.#clock.hold(call)) as [string[], number];
    const inputs = rest.slice(Number(count) + 1).map((text) => JSON.parse(text) as Fields);
    heard({ primary: this, script: name, inputs, replies: reply.map((text) => JSON.parse(text) as Fields) });
    if (published > 0) this.#wake();
    return reply;
  }

  /** XREAD, with its BLOCK in virtual time. */
  async #read(args: readonly string[]): Promise<unknown> {
    const at = args.indexOf('BLOCK');
    const [key = '', after = ''] = args.slice(-2);
    const until = this.#clock.now() + (at < 0 ? 0 : Number(args[at + 1]));
    for (;;) {
      const read = this.#server.xread('COUNT', 200, 'STREAMS', key, after);
      const news = await this.#clock.hold(read);
      if (news !== null || this.#clock.now() >= until) return news;
      await this.#untilWoken(until - this.#clock.now());
    }
  }

  #untilWoken(ms: number): Promise<void> {
    return new Promise((resolve) => {
      const wake = () => {
        timer.cancel();
        this.#blocked.delete(wake);
        resolve();
      };
      const timer = this.#clock.setTimer(wake, ms);
      this.#blocked.add(wake);
    });
  }

  #wake(): void {
    for (const wake of [...this.#blocked]) wake();
  }
}
