import { z } from 'zod';
import { PRIORITIES, type Priority, type TargetOptions, targetSchema } from '../config/schema.ts';
import { checkTargetOptions } from '../config/settings.ts';
import { validate } from '../config/validate.ts';
import { ConfigError } from '../errors.ts';
import type { Healing } from '../healing.ts';
import { runtimeOption } from './options.ts';

/** What is known of an outbound request before it is sent. */
export interface UpstreamRequest {
  readonly origin?: string | URL | undefined;
  readonly path: string;
  readonly method: string;
  readonly headers?: unknown;
}

/** What an outbound adapter takes: settings for all that it calls (`hosts` for what has a `key`), and its own. */
export interface OutboundOptions extends TargetOptions {
  /** The runtime. Default: the process's shared one, looked for at the first request. */
  runtime?: Healing | undefined;
  /**
   * Names the target of a request. `upstream:` is put in front where it is missing; undefined keeps the default,
   * one target an origin (`upstream:https://host:port`). What it throws is reported, and the default kept. A name
   * over 200 characters, an origin's too, is taken for `upstream:other`.
   */
  key?: ((request: UpstreamRequest) => string | undefined) | undefined;
  /** Names past this number share `upstream:other`. Default: 500. */
  maxNames?: number | undefined;
}

/** Options with their defaults, apart from the settings that the targets start from. */
export interface OutboundSettings {
  readonly runtime: Healing | undefined;
  readonly key: ((request: UpstreamRequest) => string | undefined) | undefined;
  readonly maxNames: number;
  /** Undefined where the user set nothing. */
  readonly defaults: TargetOptions | undefined;
}

/** What may be said of one outbound request. */
export interface CallOptions {
  /** The target. `upstream:` is put in front where it is missing. */
  key?: string | undefined;
  /** The request is safe to repeat, or is not, whatever its method. */
  idempotent?: boolean | undefined;
  /** Longest time of one attempt to the answer's headers, in ms, where it is shorter than the target's own. */
  timeoutMs?: number | undefined;
  /** Longest time of the whole request, in ms, where it is shorter than the target's own. */
  deadlineMs?: number | undefined;
  /** How much the request matters. Default: what its target's settings say, or the inbound request that it is for. */
  priority?: Priority | undefined;
}

const MAX_NAMES = 500;

const outboundSchema = targetSchema.extend({
  runtime: runtimeOption,
  key: z
    .custom<OutboundOptions['key']>((value) => typeof value === 'function')
    .describe('a function')
    .optional(),
  maxNames: z.int().min(1).max(10_000).optional(),
});

const time = () => z.number().min(1).max(86_400_000).optional();
const callSchema = z.strictObject({
  key: z.string().min(1).optional(),
  idempotent: z.boolean().optional(),
  timeoutMs: time(),
  deadlineMs: time(),
  priority: z.enum(PRIORITIES).optional(),
});

/**
 * Checks what an outbound adapter was given.
 *
 * @throws ConfigError
 */
export function readOutboundOptions(options: OutboundOptions = {}): OutboundSettings {
  validate(outboundSchema, options, '');
  const { runtime, key, maxNames = MAX_NAMES, ...rest } = options;
  const defaults = Object.values(rest).some((value) => value !== undefined) ? rest : undefined;
  if (defaults !== undefined) checkTargetOptions(defaults, 'healing');
  if (rest.hosts !== undefined && key === undefined) {
    throw new ConfigError('hosts', rest.hosts, 'set beside a `key`, which says what goes to them');
  }
  return { runtime, key, maxNames, defaults };
}

/**
 * Checks what was said of one request.
 *
 * @throws ConfigError
 */
export function readCallOptions(options: unknown): CallOptions {
  return validate(callSchema, options, 'healing');
}
