import { z } from 'zod';
import { validate } from '../config/validate.ts';
import type { Healing } from '../healing.ts';
import { defaultHealing } from '../shared-runtime.ts';
import type { Answer } from './answers.ts';
import { runtimeOption } from './options.ts';

/** What a health endpoint takes. */
export interface HealthOptions {
  /** The runtime that is told about. Default: the process's shared one. */
  runtime?: Healing | undefined;
  /** Tell about every target, not only the process as a whole. Default: false. */
  details?: boolean | undefined;
}

const JSON_TYPE = { 'content-type': 'application/json; charset=utf-8', 'cache-control': 'no-store' };
const PROMETHEUS_TYPE = {
  'content-type': 'text/plain; version=0.0.4; charset=utf-8',
  'cache-control': 'no-store',
};

const healthShape = { runtime: runtimeOption, details: z.boolean().optional() };

/** Options of an adapter's own: whether a value is right, and what is, in words. */
export type ExtraOptions = Readonly<Record<string, readonly [(value: unknown) => boolean, string]>>;

/**
 * Checks what a health endpoint was given, and finds its runtime. Nothing else than its own options and the
 * `extra` ones of the adapter may be in it.
 *
 * @throws ConfigError
 */
export function readHealthOptions(
  given: HealthOptions,
  extra: ExtraOptions = {},
): { runtime: Healing; details: boolean } {
  validate(z.strictObject({ ...healthShape, ...shapeOf(extra) }), given, '');
  const { runtime, details } = given;
  return { runtime: runtime ?? defaultHealing(), details: details ?? false };
}

function shapeOf(extra: ExtraOptions): Record<string, z.ZodType> {
  const entries = Object.entries(extra).map(
    ([key, [isRight, range]]) => [key, z.custom(isRight).describe(range).optional()] as const,
  );
  return Object.fromEntries(entries);
}

/** Paths below a health endpoint, itself first. */
export const HEALTH_PATHS = ['/', '/live', '/ready', '/metrics'] as const;
export type HealthPath = (typeof HEALTH_PATHS)[number];

/** What a request asks of a health endpoint, `path` being what is below it; undefined: nothing. */
export function askedOfHealth(method: string | undefined, path: string): HealthPath | undefined {
  return method === 'GET' || method === 'HEAD' ? HEALTH_PATHS.find((known) => known === path) : undefined;
}

/**
 * Answers below a health endpoint: `/` the health of the process (200 whatever it is:
 * who restarts or drains a service for what its upstreams do makes it worse), `/live` whether it runs at all, `/ready`
 * whether it wants traffic (503 once it is closing), `/metrics` for Prometheus.
 */
export async function answerHealth(runtime: Healing, path: HealthPath, details: boolean): Promise<Answer> {
  switch (path) {
    case '/': {
      const status = runtime.status();
      const told = details ? status : { status: status.status, reasons: status.reasons };
      return json(200, told);
    }
    case '/live':
      return json(200, { status: 'live' });
    case '/ready':
      return runtime.closing ? json(503, { status: 'closing' }) : json(200, { status: 'ready' });
    case '/metrics':
      return { status: 200, headers: PROMETHEUS_TYPE, body: await runtime.metrics() };
  }
}

function json(status: number, value: unknown): Answer {
  return { status, headers: JSON_TYPE, body: JSON.stringify(value) };
}
