import type { CircuitOptions } from '@healix/core';
import type { Service } from './service.ts';
import type { RouteSpec } from './subject.ts';
import { until } from './wait.ts';

/** A circuit that three failures open, that one probe closes, and that waits for a probe for as long as it takes. */
export const QUICK: CircuitOptions = {
  consecutiveFailures: 3,
  openMs: 50,
  maxOpenMs: 60,
  probes: 1,
  probeTimeoutMs: 600_000,
  rampMs: 0,
};

/** A circuit that three failures open for a minute. */
export const LASTING: CircuitOptions = { ...QUICK, openMs: 60_000, maxOpenMs: 60_000 };

export const FAIL = { 'x-fail': '1' };

/** Answers 500 where the request carries FAIL; else what `handler` does. */
export function failsOnDemand(route: RouteSpec): RouteSpec {
  return {
    ...route,
    handler: (call) =>
      call.req.headers['x-fail'] ? call.send({ status: 500, body: 'failed' }) : route.handler(call),
  };
}

/**
 * Fails until the circuit opens. Not a fixed number of times: what ends over a blocked event loop is not held
 * against a target, and a busy test machine blocks it.
 */
export async function trip(service: Service, name: string, path: string): Promise<void> {
  await until(`${name} to open`, async () => {
    await service.ask('GET', path, FAIL);
    return service.status(name)?.state === 'open';
  });
}

/** Opens the circuit, and waits until it may be tried again. */
export async function halfOpen(service: Service, name: string, path: string): Promise<void> {
  await trip(service, name, path);
  await until(`${name} to be half-open`, () => service.status(name)?.state === 'half-open');
}
