import { answerHealth, HEALTH_PATHS, type HealthOptions, readHealthOptions } from '@healix/core/adapter';
import type { FastifyPluginCallback } from 'fastify';
import { plugin } from './plugin.ts';
import { LEFT_ALONE } from './route-table.ts';

/** The runtime, and whether to tell details. */
export interface HealthEndpointOptions extends HealthOptions {}

/** What Fastify itself reads among the options of a plugin. */
const OF_FASTIFY = {
  prefix: [(value: unknown) => typeof value === 'string', 'a string'],
  logLevel: [(value: unknown) => typeof value === 'string', 'a string'],
  logSerializers: [(value: unknown) => typeof value === 'object' && value !== null, 'an object'],
} as const;

/**
 * Health for people and probes: `app.register(healthEndpoint, { prefix: '/health' })` answers there, and below
 * at `/live`, `/ready` and `/metrics`. It is never refused itself.
 *
 * @throws ConfigError from `register`, for a wrong setting
 */
export const healthEndpoint: FastifyPluginCallback<HealthEndpointOptions> = plugin((app, options) => {
  const { runtime, details } = readHealthOptions(options, OF_FASTIFY);
  const config = { [LEFT_ALONE]: true };
  for (const path of HEALTH_PATHS) {
    app.get(path, { config, logLevel: 'warn' }, async (_request, reply) => {
      const answer = await answerHealth(runtime, path, details);
      return reply.code(answer.status).headers(answer.headers).send(answer.body);
    });
  }
});
