import { healing, healthEndpoint } from '@healix/fastify';
import Fastify, {
  type FastifyInstance,
  type FastifyReply,
  type FastifyRequest,
  type FastifyServerOptions,
  type HTTPMethods,
} from 'fastify';
import { conformance } from '../harness/conformance.ts';
import type { AppSpec, Call, HealingSpec, MountSpec, RouteSpec, Subject } from '../harness/subject.ts';

const fastify5: Subject = {
  name: 'Fastify 5',
  lacks: {
    'array-paths': 'a Fastify route has one path',
    'closure-mounts': 'Fastify knows every route of every scope',
    'name-corrections': 'the route is certain before the first hook: nothing is ever corrected',
    'regexp-paths': 'a Fastify path is a string',
    'standalone-heal': 'settings beside a route are read by the plugin alone',
    'sub-apps': 'Fastify nests scopes, not apps',
  },
  async build(spec) {
    const { rewrite } = spec;
    const options: FastifyServerOptions = rewrite ? { rewriteUrl: ({ url = '/' }) => rewrite(url) } : {};
    const app = (
      spec.http2 ? Fastify({ ...options, http2: true } as never) : Fastify(options)
    ) as FastifyInstance;
    // JSON is parsed; other bodies are left to the handler.
    app.addContentTypeParser('*', (_request, _payload, done) => done(null, undefined));
    await mount(app, spec);
    const { health } = spec;
    if (health) await app.register(healthEndpoint, { prefix: health.path, ...without(health, 'path') });
    await app.ready();
    return { server: app.server, close: () => app.close() };
  },
};

async function mount(scope: FastifyInstance, spec: Pick<AppSpec, 'routes' | 'mounts' | 'healing'>) {
  for (const item of spec.healing ?? []) await scope.register(healing, adapterOptions(item));
  for (const route of spec.routes ?? []) declare(scope, route);
  for (const inner of spec.mounts ?? []) await nest(scope, inner);
}

async function nest(scope: FastifyInstance, inner: MountSpec) {
  for (const prefix of inner.prefixes) await scope.register(async (child) => mount(child, inner), { prefix });
}

function declare(scope: FastifyInstance, { method, path, handler, healing: settings }: RouteSpec) {
  scope.route({
    method: method === 'ALL' ? (scope.supportedMethods as HTTPMethods[]) : method,
    url: path as string,
    ...(settings && { config: { healing: settings } }),
    async handler(request, reply) {
      await handler(callOf(request, reply));
      return reply;
    },
  });
}

function adapterOptions({ name, ...options }: HealingSpec) {
  return name ? { ...options, name: ({ raw }: FastifyRequest) => name(raw) } : options;
}

function callOf(request: FastifyRequest, reply: FastifyReply): Call {
  return {
    req: request.raw,
    res: reply.raw,
    params: request.params as Record<string, string>,
    body: request.body,
    healing: request.healing,
    send({ status = 200, headers = {}, body }) {
      return reply.code(status).headers(headers).send(body);
    },
    redirect: (to) => reply.redirect(to),
    takeOver: () => reply.hijack(),
    error: (status, message) => Object.assign(new Error(message), { statusCode: status }),
  };
}

function without<T extends object, K extends keyof T>(from: T, key: K): Omit<T, K> {
  const { [key]: _, ...rest } = from;
  return rest;
}

conformance(fastify5);
