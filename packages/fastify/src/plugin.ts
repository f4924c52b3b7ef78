import type { FastifyInstance, FastifyPluginCallback, FastifyPluginOptions } from 'fastify';

/**
 * A plugin that is installed at once. What `install` throws is told to Fastify, which `register` and `ready`
 * reject with: thrown by a plugin itself it would end the process.
 */
export function plugin<O extends FastifyPluginOptions>(
  install: (app: FastifyInstance, options: O) => void,
): FastifyPluginCallback<O> {
  return (app, options, done) => {
    let problem: Error | undefined;
    try {
      install(app, options);
    } catch (error) {
      problem = error as Error;
    }
    done(problem);
  };
}

/** Marks a plugin as one that works on the scope that registers it, and on Fastify 5. */
export function inScope<O extends FastifyPluginOptions>(
  plugin: FastifyPluginCallback<O>,
): FastifyPluginCallback<O> {
  return Object.assign(plugin, {
    [Symbol.for('skip-override')]: true,
    [Symbol.for('fastify.display-name')]: '@healix/fastify',
    [Symbol.for('plugin-meta')]: { fastify: '5.x', name: '@healix/fastify' },
  });
}
