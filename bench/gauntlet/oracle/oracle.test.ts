import { describe, expect, test } from 'vitest';
import { oracle } from '../contenders/oracle.ts';
import { FIGURES } from '../figures.ts';
import { run } from '../run.ts';
import { capacityOf, type Scenario, shapeOf, timesOf } from '../scenario.ts';
import { down } from '../scenarios/down.ts';
import { halfErrors } from '../scenarios/half-errors.ts';
import { hang } from '../scenarios/hang.ts';
import { oneHostFails } from '../scenarios/one-host-fails.ts';
import { oneRouteFails } from '../scenarios/one-route-fails.ts';
import { overloadX5 } from '../scenarios/overload-x5.ts';
import { rateLimit } from '../scenarios/rate-limit.ts';
import { steady } from '../scenarios/steady.ts';
import { tenTimesSlower } from '../scenarios/ten-times-slower.ts';
import { arrivals } from '../world/arrivals.ts';
import type { RequestTerms } from '../world/call-request.ts';

const SEED = 3;

/** What a scenario asks for, counted from the arrivals. */
function asked(scenario: Scenario) {
  const times = timesOf(scenario, 0, SEED);
  const requests = [...arrivals(scenario.load ?? {}, times, SEED)];
  const between = (from: number, to: number, is: (request: RequestTerms) => boolean = () => true) =>
    requests.filter((request) => from <= request.at && request.at < to && is(request)).length;
  return { times, between };
}

const goodOf = async (scenario: Scenario) => (await run(scenario, oracle, { seed: SEED })).good;

/** Good answers between a share of the bound by hand and the bound itself. */
async function expectNear(scenario: Scenario, bound: number, share: number): Promise<void> {
  const good = await goodOf(scenario);
  expect(good).toBeLessThanOrEqual(Math.ceil(bound));
  expect(good).toBeGreaterThanOrEqual(bound * share);
}

describe('the oracle against bounds by hand', () => {
  test('steady: everything', async () => {
    const { times, between } = asked(steady);
    await expectNear(steady, between(times.faultAt, times.windowEndsAt), 0.9995);
  });

  test.each([down, hang])('$name: what comes after, and what can wait for it', async (scenario) => {
    const { times, between } = asked(scenario);
    const mended = between(times.mendedAt - FIGURES.deadlineMs, times.windowEndsAt);
    await expectNear(scenario, mended, 0.97);
  });

  test('overload: all that the servers can do, then all that comes', async () => {
    const { times, between } = asked(overloadX5);
    const perMs = capacityOf(shapeOf(overloadX5, FIGURES.sigma)) / 1_000;
    // What is held at the end is done in the time that is left over after it.
    const inFault = perMs * (times.mendedAt - times.faultAt + FIGURES.deadlineMs);
    await expectNear(overloadX5, inFault + between(times.mendedAt, times.windowEndsAt), 0.97);
  });

  test('ten times slower: a tenth of what the servers can do, and a second later all that comes', async () => {
    const { times, between } = asked(tenTimesSlower);
    const tenth =
      (capacityOf(shapeOf(tenTimesSlower, FIGURES.sigma)) / 10_000) * (times.mendedAt - times.faultAt);
    const after = between(times.mendedAt - FIGURES.deadlineMs, times.windowEndsAt);
    await expectNear(tenTimesSlower, tenth * 1.1 + after, 0.92);
  });

  test('rate limit: the limit, then all that comes and what can wait for it', async () => {
    const { times, between } = asked(rateLimit);
    const limited = 150 * ((times.mendedAt - times.faultAt) / 1_000 + 0.1);
    const after = between(times.mendedAt - FIGURES.deadlineMs, times.windowEndsAt);
    await expectNear(rateLimit, limited + after, 0.96);
  });

  test('one host fails: everything by the others', async () => {
    const { times, between } = asked(oneHostFails);
    await expectNear(oneHostFails, between(times.faultAt, times.windowEndsAt), 0.999);
  });

  test('one route fails: the others, and what can wait for the end', async () => {
    const { times, between } = asked(oneRouteFails);
    const others = between(times.faultAt, times.mendedAt, ({ route }) => route !== 0);
    const waiting = between(times.mendedAt - FIGURES.deadlineMs, times.mendedAt, ({ route }) => route === 0);
    await expectNear(oneRouteFails, others + waiting + between(times.mendedAt, times.windowEndsAt), 0.995);
  });

  test('half errors: all that may be repeated, and half of the rest', async () => {
    const { times, between } = asked(halfErrors);
    const safe = between(times.faultAt, times.mendedAt, ({ idempotent }) => idempotent);
    const rest = between(times.faultAt, times.mendedAt, ({ idempotent }) => !idempotent);
    const luck = 4 * Math.sqrt(rest / 4);
    const expected = safe + rest / 2 + between(times.mendedAt, times.windowEndsAt);
    await expectNear(halfErrors, expected + luck, (expected - 2 * luck) / (expected + luck));
  });

  test('it never does what is unsafe, nor refuses while there is room', async () => {
    for (const scenario of [halfErrors, down, oneRouteFails]) {
      const { unsafe, refusedWithRoom } = await run(scenario, oracle, { seed: SEED });
      expect([scenario.name, unsafe, refusedWithRoom]).toEqual([scenario.name, 0, 0]);
    }
  });
});
