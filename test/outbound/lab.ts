import { setTimeout as sleep } from 'node:timers/promises';
import { createHealing, type Healing, type HealingOptions } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { healingDispatcher, healingInterceptor } from '@healix/undici';
import { afterAll, afterEach, beforeAll } from 'vitest';
import { undici7, undici8 } from './clients.ts';
import { FaultyServer } from './faulty-server.ts';

type Undici = typeof undici8;
type Dispatcher = undici8.Dispatcher;
type Options = Omit<NonNullable<Parameters<typeof healingInterceptor>[0]>, 'runtime'>;

/** How healing is put around a dispatcher. */
type Through = 'interceptor' | 'dispatcher';

export const MAJORS: readonly { major: number; undici: Undici; through: Through }[] = [
  { major: 8, undici: undici8, through: 'interceptor' },
  { major: 7, undici: undici7, through: 'interceptor' },
  { major: 8, undici: undici8, through: 'dispatcher' },
  { major: 7, undici: undici7, through: 'dispatcher' },
];

/** A server, and for each test a runtime and dispatchers that end with it. */
export interface Lab {
  readonly server: FaultyServer;
  readonly runtime: Healing;
  /** An address of its own, so that each test counts its own requests. */
  url(steps: string, query?: string): string;
  /** How many requests came for the last address. */
  readonly count: number;
  healed(dispatcher: Dispatcher, options?: Options): Dispatcher;
  interceptor(options?: Options): ReturnType<typeof healingInterceptor>;
  /** Has `dispatcher` end with the test. */
  keep<D extends Dispatcher>(dispatcher: D): D;
  restart(options: HealingOptions): void;
  counts(origin?: string): {
    success: number;
    failure: number;
    overload: number;
    ignored: number;
    retries: number;
  };
  inFlight(origin?: string): number;
}

const DEFAULTS = { retry: { baseDelayMs: 5, budgetPerSecond: 1_000 }, circuit: { consecutiveFailures: 50 } };

/** Sets a lab up around the tests of the file or block that calls it. */
export function useLab(through: Through = 'interceptor'): Lab {
  const server = new FaultyServer();
  let runtime = make({});
  let kept: Dispatcher[] = [];
  let serial = 0;
  beforeAll(() => server.listen());
  afterAll(() => server.close());
  afterEach(async () => {
    await Promise.all(kept.map(end));
    kept = [];
    await runtime.close();
    runtime = make({});
  });
  return {
    server,
    get runtime() {
      return runtime;
    },
    get count() {
      return server.count(`case=${serial}&`);
    },
    url(steps, query = '') {
      serial++;
      return `${server.origin}/${steps}?case=${serial}&${query}`;
    },
    interceptor: (options) => healingInterceptor({ runtime, ...options }),
    healed: (dispatcher, options) =>
      through === 'dispatcher'
        ? healingDispatcher(dispatcher, { runtime, ...options })
        : dispatcher.compose(healingInterceptor({ runtime, ...options })),
    keep(dispatcher) {
      kept.push(dispatcher);
      return dispatcher;
    },
    restart(options) {
      runtime = make(options);
    },
    counts(origin = server.origin) {
      const { success, failure, overload, ignored, retries } = runtime
        .target(`upstream:${origin}`)
        .status().counts;
      return { success, failure, overload, ignored, retries };
    },
    inFlight: (origin = server.origin) => runtime.target(`upstream:${origin}`).status().inFlight,
  };
}

function make(options: HealingOptions): Healing {
  return createHealing({ shared: false, clock: new SteadyClock(), defaults: DEFAULTS, ...options });
}

export const NONE = { success: 0, failure: 0, overload: 0, ignored: 0, retries: 0 };

/** Waits until `check` holds, a second at most. */
export async function until(check: () => boolean, forMs = 2_000): Promise<void> {
  const end = performance.now() + forMs;
  while (!check()) {
    if (performance.now() > end) throw new Error(`it never came true: ${check}`);
    await sleep(10);
  }
}

/** A mock agent has no `destroy`. */
function end(dispatcher: Dispatcher): Promise<void> {
  return 'pendingInterceptors' in dispatcher ? dispatcher.close() : dispatcher.destroy();
}
