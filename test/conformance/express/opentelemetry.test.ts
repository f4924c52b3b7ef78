import { heal, healing, healthEndpoint } from '@healix/express';
import { ExpressInstrumentation } from '@opentelemetry/instrumentation-express';
import { InMemorySpanExporter, NodeTracerProvider, SimpleSpanProcessor } from '@opentelemetry/sdk-trace-node';
import type { RequestHandler } from 'express';
import { afterAll, afterEach, describe, expect, test } from 'vitest';
import { type Express, HealedApp, VERSIONS } from './app.ts';

const exporter = new InMemorySpanExporter();
const provider = new NodeTracerProvider({ spanProcessors: [new SimpleSpanProcessor(exporter)] });
const instrumentation = new ExpressInstrumentation();
instrumentation.setTracerProvider(provider);
provider.register();

/** Wraps Express as the instrumentation does when it is loaded first; by hand, since it knows no aliases. */
function instrument(module: Express): void {
  const { init } = instrumentation as unknown as { init(): { patch(module: Express): unknown }[] };
  for (const definition of init.call(instrumentation)) definition.patch(module);
}

const ok: RequestHandler = (_req, res) => {
  res.send('ok');
};

afterAll(() => instrumentation.disable());

describe.each(VERSIONS)('%s with OpenTelemetry', (_name, module) => {
  let healed: HealedApp;
  afterEach(() => healed.close());

  test('names, settings beside routes and the health endpoint are found behind its wrappers', async () => {
    instrument(module);
    exporter.reset();
    healed = new HealedApp(module);
    const { app, runtime } = healed;
    const router = module.Router();
    router.get('/users/:id', heal({ policy: { concurrency: 5 } }), ok);
    router.get('/closed', heal({ policy: { deny: 'closed' } }), ok);
    app.use('/health', healthEndpoint({ runtime }));
    app.use('/orgs/:org', router);
    const inner = module();
    inner.use(healing(runtime));
    inner.get('/it/:id', ok);
    app.use('/sub', inner);
    app.get('/:slug', ok);
    const tracer = provider.getTracer('test');
    await healed.listen((serve) =>
      tracer.startActiveSpan('request', (span) => {
        serve();
        span.end();
      }),
    );
    expect(await healed.ask('/orgs/a/users/1', '/orgs/orgs/users/2', '/orgs/a/closed')).toEqual([
      200, 200, 403,
    ]);
    expect(await healed.ask('/sub/it/1', '/sub/it/2', '/a', '/health')).toEqual([200, 200, 200, 200]);
    await healed.booked({ 'GET /orgs/:org/users/:id': 2, 'GET /sub/it/:id': 2, 'GET /:slug': 1 });
    expect(healed.corrected).toBe(1);
    expect(runtime.target('route:GET /orgs/:org/users/:id').settings.policy.concurrency).toBe(5);
    const spans = exporter.getFinishedSpans().map((span) => span.name);
    expect(spans.join()).toContain('middleware - healing');
  });
});
