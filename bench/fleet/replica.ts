// One replica: a runtime over Redis, whose calls end as the benchmark says. It also listens to a plain channel.
import { createHealing, type Target } from '@healix/core';
import { Redis } from 'ioredis';
import { obey } from '../../test/stalls/programs/commands.ts';
import { CHANNEL, type Load, type ReplicaOptions } from './replicas.ts';
import { monotonicMs } from './told-process.ts';

const TICK_MS = 10;
const BETWEEN_HEALING_CALLS_MS = 20;

/** When something happened first, for whoever asks before or after. */
class Moments {
  readonly #at = new Map<string, number>();
  readonly #waiting = new Map<string, (at: number) => void>();

  note(name: string): void {
    if (this.#at.has(name)) return;
    const at = monotonicMs();
    this.#at.set(name, at);
    this.#waiting.get(name)?.(at);
  }

  of(name: string): number | Promise<number> {
    return this.#at.get(name) ?? new Promise((resolve) => this.#waiting.set(name, resolve));
  }
}

const { redis, service } = JSON.parse(process.argv[2] as string) as ReplicaOptions;
const runtime = createHealing({ shared: false, redis, service });
const openings = new Moments();
const messages = new Moments();
runtime.on('transition', ({ to, target }) => {
  if (to === 'open') openings.note(target);
});
const subscriber = new Redis(redis);
await subscriber.subscribe(CHANNEL);
subscriber.on('message', (_channel: string, message: string) => messages.note(message));

let loading: NodeJS.Timeout | undefined;
let calls = 0;

function call(target: Target, outcome: 'success' | 'failure'): void {
  calls++;
  const permit = target.acquire();
  if (permit.ok) target.release(permit, outcome);
}

function load({ perSecond, targets, troubled, failing }: Load): void {
  clearInterval(loading);
  const used = targets.map((name) => runtime.target(name));
  const began = performance.now();
  let made = 0;
  const catchUp = () => {
    const due = ((performance.now() - began) * perSecond) / 1_000;
    while (made < due) {
      const round = Math.floor(made / used.length);
      const isFailingRound = Math.floor((round + 1) * failing) > Math.floor(round * failing);
      const at = made++ % used.length;
      call(used[at] as Target, isFailingRound && at < troubled ? 'failure' : 'success');
    }
  };
  if (perSecond > 0) loading = setInterval(catchUp, TICK_MS);
}

obey({
  load,
  /** Calls since the last question. */
  calls: () => {
    const so = calls;
    calls = 0;
    return so;
  },
  live: () => runtime.status().fleet?.live,
  /** One call after the other, with these ends. @returns when the last one had ended */
  call: ({ target: name, ends }: { target: string; ends: ('success' | 'failure')[] }) => {
    const target = runtime.target(name);
    for (const outcome of ends) call(target, outcome);
    return monotonicMs();
  },
  openedAt: ({ target }: { target: string }) => openings.of(target),
  heardAt: ({ message }: { message: string }) => messages.of(message),
  /** Calls that succeed, until the circuit is closed. */
  heal: async ({ target: name }: { target: string }) => {
    const target = runtime.target(name);
    while (target.status().state !== 'closed') {
      call(target, 'success');
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_HEALING_CALLS_MS));
    }
  },
});
