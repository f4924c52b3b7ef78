import { CircuitOpenError, createHealing } from '@healix/core';
import {
  circuitBreaker,
  ExponentialBackoff,
  handleAll,
  IsolatedCircuitError,
  retry,
  SamplingBreaker,
  TimeoutStrategy,
  timeout,
  wrap,
} from 'cockatiel';
import Opossum from 'opossum';
import { atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf, median, seededRandom, shuffled } from '../statistics.ts';

/** Calls between two turns of the event loop, so that the coarse clock moves and windows roll. */
const CHUNK = 1_000;
const ROUNDS = 31;
/** A batch spans several ticks of the coarse clock. */
const BATCH_MS = 60;
/** Before each batch the same calls run for longer than a tick, so that sampling has settled. */
const LEAD_MS = 30;

/**
 * One chunk of calls. Every case is a loop function of its own, so that none runs on the type feedback of
 * another's call sites.
 */
type Loop = () => Promise<void>;

interface Measured {
  /** Ns a call, one for each round. */
  readonly whole: readonly number[];
  /** The same beyond the bare call of the same round. */
  readonly added: readonly number[];
}

const BARE = 'bare awaited call';
const FLOOR = 'floor: new Promise + then(ok, fail)';
const FLOOR_REFUSED = 'floor: a rejection with an Error of its own, without a stack';
const SAMPLED = 'healix acquire/release, sampled';
const EXACT = 'healix acquire/release, each timed';
const RUN = 'healix run, sampled, signal unread';
const RUN_EXACT = 'healix run, each timed, signal unread';
const RUN_SIGNAL = 'healix run, sampled, signal read';
const RUN_EXACT_SIGNAL = 'healix run, each timed, signal read';
const REFUSED = 'healix acquire, refused';
const RUN_REFUSED = 'healix run, refused';
const SAMPLING_BREAKER = 'cockatiel SamplingBreaker';
const RETRY_BREAKER_TIMEOUT = 'cockatiel retry+breaker+timeout';
const SAMPLING_BREAKER_REFUSED = 'cockatiel SamplingBreaker, refused';
const OPOSSUM = 'opossum default';
const OPOSSUM_NO_TIMEOUT = 'opossum without timeout';
const OPOSSUM_REFUSED = 'opossum, refused';

const answer = async () => 1;
const readSignal = async ({ signal }: { signal: AbortSignal }) => (signal.aborted ? 0 : 1);

/** What one call costs under each protection, beside the bare one. */
export async function measureCallCost(): Promise<Section> {
  const { loops, close } = await makeLoops();
  const measured = await measureInterleaved(loops);
  await close();
  const of = (name: string) => measured.get(name)!;
  const ratio = (name: string, to: string) => medianRatio(of(name).added, of(to).added);
  const wholeRatio = (name: string, to: string) => medianRatio(of(name).whole, of(to).whole);
  const figures: Figure[] = [...measured].map(([name, { whole, added }]) =>
    name === BARE
      ? figure(name, 'ns a call', estimateOf(whole))
      : figure(name, 'ns added', estimateOf(added), SAMPLING_BREAKER, ratio(name, SAMPLING_BREAKER)),
  );
  return {
    title: 'Cost of one call while all is well, and of a refusal',
    notes: [
      `${ROUNDS} interleaved rounds of at least ${BATCH_MS} ms; an awaited async function that is already resolved.`,
      "Time is the thread's CPU time, which is the wall clock's on a machine that does nothing else.",
      'healix: window, histogram, retry budget, timeout and deadline switched on. Added: beyond the bare call of',
      'the same round (where a refusal takes the place of the call: its whole cost less the bare call).',
      'The floors are what remains for any run that can reject a hanging call (a promise and two closures of its',
      'own), and for any refusal that callers meet as a rejection.',
    ],
    figures,
    aims: [
      atMost('acquire/release sampled / SamplingBreaker, added', 1 / 6, ratio(SAMPLED, SAMPLING_BREAKER)),
      atMost('run, signal unread / SamplingBreaker, added', 1 / 2, ratio(RUN, SAMPLING_BREAKER)),
      atMost('run, signal unread / retry+breaker+timeout, added', 1 / 50, ratio(RUN, RETRY_BREAKER_TIMEOUT)),
      atMost('run, signal unread / opossum default, added', 1 / 8, ratio(RUN, OPOSSUM)),
      atMost('refused acquire / acquire+release, added', 1, ratio(REFUSED, SAMPLED)),
      atMost('refused run / healed run with its call, whole', 1, wholeRatio(RUN_REFUSED, RUN)),
    ],
  };
}

async function makeLoops() {
  const options = { shared: false, defaults: { deadlineMs: 30_000 } };
  const sampling = createHealing(options);
  const exact = createHealing({ ...options, exactCallsPerTick: 1_000_000 });
  const sampled = sampling.target('upstream:sampled');
  const timed = exact.target('upstream:timed');
  const open = sampling.target('upstream:open');
  await open.force('open');
  const sampler = samplingBreaker();
  const isolated = samplingBreaker();
  isolated.isolate();
  const retried = wrap(
    retry(handleAll, { maxAttempts: 2, backoff: new ExponentialBackoff() }),
    samplingBreaker(),
    timeout(10_000, TimeoutStrategy.Aggressive),
  );
  const opossum = new Opossum(answer);
  const untimedOpossum = new Opossum(answer, { timeout: false });
  const openOpossum = new Opossum(answer, { resetTimeout: 600_000 });
  openOpossum.open();
  const loops: Record<string, Loop> = {
    [BARE]: async () => {
      for (let i = 0; i < CHUNK; i++) await answer();
    },
    [FLOOR]: async () => {
      for (let i = 0; i < CHUNK; i++) await rejectable(answer);
    },
    [FLOOR_REFUSED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        try {
          await Promise.reject(stackless());
        } catch (error) {
          if (!(error instanceof Error)) throw error;
        }
      }
    },
    [SAMPLED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        const permit = sampled.acquire();
        if (!permit.ok) throw permit.toError();
        await answer();
        sampled.release(permit, 'success');
      }
    },
    [EXACT]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        const permit = timed.acquire();
        if (!permit.ok) throw permit.toError();
        await answer();
        timed.release(permit, 'success');
      }
    },
    [RUN]: async () => {
      for (let i = 0; i < CHUNK; i++) await sampled.run(answer);
    },
    [RUN_EXACT]: async () => {
      for (let i = 0; i < CHUNK; i++) await timed.run(answer);
    },
    [RUN_SIGNAL]: async () => {
      for (let i = 0; i < CHUNK; i++) await sampled.run(readSignal);
    },
    [RUN_EXACT_SIGNAL]: async () => {
      for (let i = 0; i < CHUNK; i++) await timed.run(readSignal);
    },
    [REFUSED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        if (open.acquire().ok) throw new Error('the open circuit let a call in');
        await answer();
      }
    },
    [RUN_REFUSED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        try {
          await open.run(answer);
        } catch (error) {
          if (!(error instanceof CircuitOpenError)) throw error;
        }
      }
    },
    [SAMPLING_BREAKER]: async () => {
      for (let i = 0; i < CHUNK; i++) await sampler.execute(answer);
    },
    [SAMPLING_BREAKER_REFUSED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        try {
          await isolated.execute(answer);
        } catch (error) {
          if (!(error instanceof IsolatedCircuitError)) throw error;
        }
      }
    },
    [RETRY_BREAKER_TIMEOUT]: async () => {
      for (let i = 0; i < CHUNK; i++) await retried.execute(answer);
    },
    [OPOSSUM]: async () => {
      for (let i = 0; i < CHUNK; i++) await opossum.fire();
    },
    [OPOSSUM_NO_TIMEOUT]: async () => {
      for (let i = 0; i < CHUNK; i++) await untimedOpossum.fire();
    },
    [OPOSSUM_REFUSED]: async () => {
      for (let i = 0; i < CHUNK; i++) {
        try {
          await openOpossum.fire();
        } catch (error) {
          if (!Opossum.isOurError(error as Error)) throw error;
        }
      }
    },
  };
  const close = async () => {
    for (const breaker of [opossum, untimedOpossum, openOpossum]) breaker.shutdown();
    await Promise.all([sampling.close(), exact.close()]);
  };
  return { loops, close };
}

function samplingBreaker() {
  const breaker = new SamplingBreaker({ threshold: 0.5, duration: 10_000 });
  return circuitBreaker(handleAll, { halfOpenAfter: 1_000, breaker });
}

function medianRatio(values: readonly number[], others: readonly number[]): number {
  return median(values.map((value, round) => value / others[round]!));
}

type Settle = (value: unknown) => void;
let lastResolve: Settle;
let lastReject: Settle;
function capture(resolve: Settle, reject: Settle): void {
  lastResolve = resolve;
  lastReject = reject;
}

/** The least that stands around a call whose promise can be rejected before the call ends. */
function rejectable<T>(fn: () => Promise<T>): Promise<unknown> {
  const promise = new Promise(capture);
  const resolve = lastResolve;
  const reject = lastReject;
  fn().then(
    (value) => resolve(value),
    (error) => reject(error),
  );
  return promise;
}

function stackless(): Error {
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  const error = new Error('refused');
  Error.stackTraceLimit = limit;
  return error;
}

/** Every case once a round, in an order of the round's own. */
async function measureInterleaved(loops: Readonly<Record<string, Loop>>): Promise<Map<string, Measured>> {
  const random = seededRandom(9);
  const cases = Object.entries(loops).map(([name, loop]) => ({ name, loop, whole: [] as number[] }));
  for (let warmUp = 0; warmUp < 3; warmUp++) {
    for (const { loop } of cases) await runFor(loop, 4 * LEAD_MS);
  }
  for (let round = 0; round < ROUNDS; round++) {
    for (const { loop, whole } of shuffled(cases, random)) {
      globalThis.gc?.({ type: 'minor', execution: 'sync' });
      await runFor(loop, LEAD_MS);
      whole.push(await runFor(loop, BATCH_MS));
    }
  }
  const bare = cases.find(({ name }) => name === BARE)!.whole;
  return new Map(
    cases.map(({ name, whole }) => [name, { whole, added: whole.map((ns, round) => ns - bare[round]!) }]),
  );
}

/** Ns of this thread's CPU time a call, over whole chunks that fill at least `leastMs`. */
async function runFor(loop: Loop, leastMs: number): Promise<number> {
  const start = performance.now();
  const startUs = cpuUs();
  for (let chunks = 1; ; chunks++) {
    await loop();
    await new Promise(setImmediate);
    if (performance.now() - start >= leastMs) return ((cpuUs() - startUs) * 1e3) / (chunks * CHUNK);
  }
}

/** Unlike the wall clock it stands still while other processes have the core; the loop itself never waits. */
function cpuUs(): number {
  const { user, system } = process.threadCpuUsage();
  return user + system;
}
