import { z } from 'zod';
import { STORE_OPERATIONS, type Store } from '../store/store.ts';
import type { IncidentReport } from '../telemetry/incidents.ts';
import type { Clock } from '../time/clock.ts';
import type { Random } from '../time/random.ts';
import { isRedisUrl, REDIS_URL } from './redis-url.ts';
import { targetSchema } from './schema.ts';
import { SERVICE, SERVICE_NAME } from './service-name.ts';

const hasMethods =
  (...names: string[]) =>
  (value: unknown) =>
    typeof value === 'object' &&
    value !== null &&
    names.every((name) => typeof (value as Record<string, unknown>)[name] === 'function');

const HEADER_NAME = /^[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}$/;

const headerSchema = (name: string, says: string) =>
  z.strictObject({
    name: z
      .string()
      .regex(HEADER_NAME)
      .describe('the name of a header')
      .default(name)
      .describe(`The header that says ${says}.`),
    trust: z
      .boolean()
      .default(false)
      .describe('Whether what callers say by it is believed. Only where no stranger can send it.'),
    send: z.boolean().optional().describe('Whether upstreams are told by it. Default: as `trust`.'),
  });

/** Settings of one target, or of all that match a glob over their names. */
export const namedTargetSchema = targetSchema.extend({
  match: z
    .string()
    .min(1)
    .optional()
    .describe(
      'A glob over target names: `*` inside a path segment, `**` across. The key is then only a label.',
    ),
});

export const runtimeSchema = z.strictObject({
  mode: z
    .enum(['heal', 'observe'])
    .default('heal')
    .describe('`observe`: every decision is taken and reported as "would have", none is carried out.'),
  shared: z
    .boolean()
    .default(true)
    .describe("Whether this becomes the process's one runtime, which adapters find by themselves."),
  disabled: z
    .boolean()
    .optional()
    .describe('The emergency switch: everything passes through. Default: whether HEALIX_DISABLED is 1.'),
  maxTargets: z.int().min(1).max(1_000_000).default(10_000).describe('Targets past this number share one.'),
  exactCallsPerTick: z
    .int()
    .min(1)
    .max(1_000_000)
    .default(64)
    .describe(
      'Calls that are timed in each 20 ms, all of them while there are no more; with more, an even sample.',
    ),
  redis: z
    .string()
    .refine(isRedisUrl)
    .describe(REDIS_URL)
    .optional()
    .describe('The Redis that replicas share their circuits through. Default: HEALIX_REDIS_URL.'),
  store: z
    .custom<Store>(hasMethods('open', ...STORE_OPERATIONS, 'close'))
    .describe('a Store, such as redisStore(redis)')
    .optional()
    .describe('What replicas share their circuits through, instead of `redis`.'),
  service: z
    .string()
    .regex(SERVICE_NAME)
    .describe(SERVICE)
    .optional()
    .describe('Names the fleet: replicas with the same name heal as one. Default: HEALIX_SERVICE.'),
  deadlineHeader: headerSchema('x-healix-deadline-ms', 'how many ms of its time a request has left').prefault(
    {},
  ),
  priorityHeader: headerSchema('x-healix-priority', 'how much a request matters').prefault({}),
  defaults: targetSchema.prefault({}),
  targets: z.record(z.string(), namedTargetSchema).default({}),
  notify: z
    .custom<(incident: IncidentReport) => void | Promise<void>>((value) => typeof value === 'function')
    .describe('a function')
    .optional()
    .describe('Tells a person of an incident that has lasted (recovery level 6).'),
  clock: z
    .custom<Clock>(hasMethods('now', 'wall', 'setTimer', 'afterPoll'))
    .describe('an object with now, wall, setTimer, afterPoll')
    .optional()
    .describe('Where time comes from. Default: the system.'),
  random: z
    .custom<Random>(hasMethods('next'))
    .describe('an object with next')
    .optional()
    .describe('Where chance comes from. Default: `Math.random`.'),
});
