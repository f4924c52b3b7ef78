import { z } from 'zod';
import { type TargetOptions, targetSchema } from '../config/schema.ts';
import { checkTargetOptions } from '../config/settings.ts';
import { validate } from '../config/validate.ts';
import { ConfigError } from '../errors.ts';
import type { Healing } from '../healing.ts';
import { defaultHealing } from '../shared-runtime.ts';
import type { OnRefused } from './inbound.ts';

/** What an inbound adapter takes: settings for all its routes, and its own. `R` is what `name` is given. */
export interface AdapterOptions<R> extends TargetOptions {
  /** The runtime. Default: the process's shared one. */
  runtime?: Healing | undefined;
  /**
   * Names the target of a request where the route says too little (GraphQL, tRPC, tenants). `route:` is put in
   * front where it is missing; undefined keeps the route's name. What it throws is reported, and the route's
   * name kept; so is what is no text. A name over 200 characters is taken for `route:other`.
   */
  name?: ((request: R) => string | undefined) | undefined;
  /** Replaces the answer to a refused request. What it throws is reported, and the usual answer sent. */
  onRefused?: OnRefused | undefined;
  /** Names past this number share `route:other`. Default: 500. */
  maxNames?: number | undefined;
}

/** What an adapter was given, its own options apart from the settings that its routes start from. */
export interface AdapterSettings<R> {
  readonly runtime: Healing | undefined;
  readonly name: ((request: R) => string | undefined) | undefined;
  readonly onRefused: OnRefused | undefined;
  readonly maxNames: number | undefined;
  /** Undefined where the user set nothing. */
  readonly defaults: TargetOptions | undefined;
}

const PREFIX = 'route:';
/** A longer name shares its target with all others that are. */
export const LONGEST_NAME = 200;

const isFunction = (value: unknown) => typeof value === 'function';

/** A setting that is a runtime. */
export const runtimeOption = z
  .custom<Healing>(isRuntime)
  .describe('a runtime, made by createHealing')
  .optional();

const adapterSchema = targetSchema.extend({
  runtime: runtimeOption,
  name: z.custom<(request: never) => string | undefined>(isFunction).describe('a function').optional(),
  onRefused: z.custom<OnRefused>(isFunction).describe('a function').optional(),
  maxNames: z.int().min(1).max(10_000).optional(),
});

/** Whether a value is a runtime, of whichever copy of healix. */
export function isRuntime(value: unknown): value is Healing {
  const { target, status, reportCallback } = (value ?? {}) as Partial<Healing>;
  return isFunction(target) && isFunction(status) && isFunction(reportCallback);
}

/**
 * Checks what an adapter was given.
 *
 * @throws ConfigError
 */
export function checkAdapterOptions<R>(given: AdapterOptions<R> | Healing = {}): AdapterSettings<R> {
  const options: AdapterOptions<R> = isRuntime(given) ? { runtime: given } : given;
  validate(adapterSchema, options, '');
  const { runtime, name, onRefused, maxNames, ...rest } = options;
  const defaults = Object.values(rest).some((value) => value !== undefined) ? rest : undefined;
  if (defaults !== undefined) checkTargetOptions(defaults, 'healing');
  return { runtime, name, onRefused, maxNames, defaults };
}

/**
 * Checks what an adapter was given, and finds its runtime: the process's shared one where none was given.
 *
 * @throws ConfigError
 */
export function readAdapterOptions<R>(
  given?: AdapterOptions<R> | Healing,
): AdapterSettings<R> & { readonly runtime: Healing } {
  const settings = checkAdapterOptions(given);
  return { ...settings, runtime: settings.runtime ?? defaultHealing() };
}

/**
 * Checks what stands beside a route.
 *
 * @throws ConfigError that names the route
 */
export function readRouteOptions(options: unknown, route: string): TargetOptions {
  if (typeof options !== 'object' || options === null) {
    throw new ConfigError(`${route}: healing`, options, 'an object of settings');
  }
  return checkTargetOptions(options, `${route}: healing`);
}

/** The name that the user gives a request, or undefined: the route's own. */
export function nameByUser<R>({ name, runtime }: AdapterSettings<R>, request: R): string | undefined {
  if (name === undefined) return undefined;
  try {
    const given: unknown = name(request);
    if (given === undefined) return undefined;
    if (typeof given !== 'string' || given === '' || given === PREFIX) {
      throw new TypeError(`it gave ${given === null ? 'null' : typeof given}, no name`);
    }
    if (given.length > LONGEST_NAME) return `${PREFIX}other`;
    return given.startsWith(PREFIX) ? given : PREFIX + given;
  } catch (error) {
    runtime?.reportCallback('route:*', 'name', error);
    return undefined;
  }
}
