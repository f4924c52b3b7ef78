import { fork } from 'node:child_process';
import { once } from 'node:events';
import { systemClock, systemRandom } from '@healix/core/parts';
import { Pool } from 'undici';
import type { Contender } from '../contender.ts';
import { type Scenario, type Times, timesOf } from '../scenario.ts';
import { type Measures, Tally } from '../tally.ts';
import { arrivals } from '../world/arrivals.ts';
import type { Answer, Attempt } from '../world/attempt.ts';
import { CallRequest } from '../world/call-request.ts';
import { RealCalendar } from './real-calendar.ts';

/** Nothing is known here of the work behind an answer. */
const UNKNOWN = { beganAt: Number.NaN, workMs: 0 } as Attempt;

/** One contender in one scenario against real servers in another process, in real time. */
export async function runOnLoopback(
  scenario: Scenario,
  contender: Contender,
  seed: number,
): Promise<Measures> {
  const upstream = fork(new URL('./upstream-process.ts', import.meta.url), [scenario.name, String(seed)]);
  const [ports] = (await once(upstream, 'message')) as [number[]];
  const pools = ports.map((port) => new Pool(`http://127.0.0.1:${port}`));
  try {
    const calendar = new RealCalendar();
    upstream.send('begin');
    const times = timesOf(scenario, calendar.now, seed);
    const tally = new Tally(times);
    await callAll(scenario, contender, seed, times, calendar, tally, pools);
    upstream.send('end');
    const [{ unsafe }] = (await once(upstream, 'message')) as [{ unsafe: number }];
    return { ...tally.measures, unsafe };
  } finally {
    upstream.kill();
    await Promise.all(pools.map((pool) => pool.destroy()));
  }
}

async function callAll(
  scenario: Scenario,
  contender: Contender,
  seed: number,
  times: Times,
  calendar: RealCalendar,
  tally: Tally,
  pools: readonly Pool[],
): Promise<void> {
  const call = contender.make({
    clock: systemClock,
    random: systemRandom,
    hosts: pools.map((_, host) => `host-${host}`),
    send: sender(pools, tally),
    truth: undefined,
  });
  for (const terms of arrivals(scenario.load ?? {}, times, seed)) {
    await until(calendar, terms.at);
    const { now } = calendar;
    const late = now - terms.at;
    const request = new CallRequest({ ...terms, at: now, deadlineAt: terms.deadlineAt + late }, calendar);
    tally.arrived(request);
    call(request).then(
      (answer) => {
        request.answered();
        if (answer.status < 400 && calendar.now <= request.deadlineAt)
          tally.good(request, answer, calendar.now);
      },
      () => request.answered(),
    );
  }
  await until(calendar, times.endsAt);
}

function sender(pools: readonly Pool[], tally: Tally) {
  let turn = 0;
  return async (host: string | undefined, request: CallRequest, signal?: AbortSignal): Promise<Answer> => {
    const index = host === undefined ? turn++ % pools.length : Number(host.slice('host-'.length));
    request.attempts++;
    tally.sent(request);
    const { statusCode, headers, body } = await (pools[index] as Pool).request({
      path: '/',
      method: request.idempotent ? 'GET' : 'POST',
      headers: { 'x-id': String(request.id), 'x-route': String(request.route) },
      ...(signal && { signal }),
    });
    await body.dump();
    return { status: statusCode, headers: headers as Record<string, string>, attempt: UNKNOWN };
  };
}

async function until(calendar: RealCalendar, time: number): Promise<void> {
  while (calendar.now < time) {
    await new Promise((resolve) => setTimeout(resolve, Math.max(1, time - calendar.now)));
  }
}
