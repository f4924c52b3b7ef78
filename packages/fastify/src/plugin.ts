import type { FastifyPluginCallback, FastifyPluginOptions } from 'fastify';

/** Marks a plugin as one that works on the scope that registers it, and on Fastify 5. */
export function asPlugin<O extends FastifyPluginOptions>(
  plugin: FastifyPluginCallback<O>,
): FastifyPluginCallback<O> {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@healix/fastify',
    [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@healix/fastify' },
  });
}
