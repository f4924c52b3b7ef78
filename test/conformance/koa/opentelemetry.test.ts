import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { heal, healing, healthEndpoint } from '@healix/koa';
import Router from '@koa/router';
import { KoaInstrumentation } from '@opentelemetry/instrumentation-koa';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import Koa from 'koa';
import Koa2 from 'koa2';
import Router2 from 'koa2-router';
import { afterAll, afterEach, describe, expect, test } from 'vitest';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const instrumentation = new KoaInstrumentation();
instrumentation.setTracerProvider(provider);
provider.register();

/** Wraps Koa as the instrumentation does when it is loaded first; by hand, since it knows no aliases. */
function instrument(module: typeof Koa): void {
  const { init } = instrumentation as unknown as { init(): { patch(module: typeof Koa): unknown } };
  init.call(instrumentation).patch(module);
}

const VERSIONS = [
  ['Koa 3 with router 15', Koa, Router],
  ['Koa 2 with router 12', Koa2, Router2],
] as const;

afterAll(() => instrumentation.disable());

describe.each(VERSIONS)('%s with OpenTelemetry', (_name, Module, RouterOf) => {
  let runtime: Healing;
  let server: Server;
  let base: string;
  afterEach(async () => {
    server.closeAllConnections();
    server.close();
    await runtime.close();
  });

  async function listen(app: Koa): Promise<void> {
    const answer = app.callback();
    const tracer = provider.getTracer('test');
    server = createServer((req, res) =>
      tracer.startActiveSpan('request', (span) => {
        answer(req, res).finally(() => span.end());
      }),
    );
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  async function ask(path: string): Promise<number> {
    const answer = await fetch(base + path);
    await answer.arrayBuffer();
    return answer.status;
  }

  test('names, settings beside routes and the health endpoint are found behind its wrappers', async () => {
    instrument(Module as typeof Koa);
    exporter.reset();
    runtime = createHealing({ shared: false, clock: new SteadyClock() });
    const app = new Module() as Koa;
    const router = new RouterOf() as Router;
    const nested = new RouterOf() as Router;
    nested.get('/users/:id', heal({ policy: { concurrency: 5 } }), (ctx) => {
      ctx.body = 'user';
    });
    nested.get('/closed', heal({ policy: { deny: 'closed' } }), (ctx) => {
      ctx.body = 'closed';
    });
    router.use('/orgs/:org', nested.routes());
    router.get('/:slug', (ctx) => {
      ctx.body = ctx.params.slug;
    });
    app.use(healing(runtime));
    app.use(healthEndpoint({ runtime }));
    app.use(router.routes());
    await listen(app);
    const paths = [
      '/orgs/a/users/1',
      '/orgs/orgs/users/2',
      '/orgs/a/closed',
      '/a',
      '/health',
      '/health/live',
    ];
    const statuses = [];
    for (const path of paths) statuses.push(await ask(path));
    expect(statuses).toEqual([200, 200, 403, 200, 200, 200]);
    expect(Object.keys(runtime.status().targets).sort()).toEqual([
      'route:GET /:slug',
      'route:GET /orgs/:org/closed',
      'route:GET /orgs/:org/users/:id',
    ]);
    expect(runtime.target('route:GET /orgs/:org/users/:id').settings.policy.concurrency).toBe(5);
    expect(runtime.status().coverage.namesCorrected).toBe(0);
    await expect
      .poll(() =>
        exporter
          .getFinishedSpans()
          .map(({ name }) => name)
          .join(),
      )
      .toContain('healing');
  });

  test('heal alone admits behind its wrappers', async () => {
    instrument(Module as typeof Koa);
    runtime = createHealing({ shared: false, clock: new SteadyClock() });
    const app = new Module() as Koa;
    const router = new RouterOf() as Router;
    router.get('/closed', heal({ runtime, policy: { deny: 'closed' } }), (ctx) => {
      ctx.body = 'closed';
    });
    app.use(router.routes());
    await listen(app);
    expect(await ask('/closed')).toBe(403);
  });
});
