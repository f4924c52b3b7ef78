// The service: two routes, each of which calls an upstream. With and without healing it is the same code.
// node service.ts with|without PAYMENTS_URL CATALOG_URL PORT
import { createHealing, type RunOptions } from '@healix/core';
import { healing, healthEndpoint } from '@healix/fastify';
import Fastify from 'fastify';
import { CLIENT_TIMEOUT_MS, CONNECTIONS } from '../settings.ts';
import { listen, report } from './child.ts';
import { Connections } from './connections.ts';
import { tellOf } from './tell.ts';

const [variant, paymentsUrl, catalogUrl, port] = process.argv.slice(2);
const connections = new Connections(CONNECTIONS);
const app = Fastify();

type Call = (context: { signal: AbortSignal }) => Promise<object>;
type Protect = (upstream: string, call: Call, options: RunOptions<object>) => Promise<object>;

const protect = variant === 'with' ? await withHealing() : withoutHealing();

app.get<{ Params: { id: string } }>('/products/:id', ({ params: { id } }) =>
  protect('catalog', ({ signal }) => connections.fetchJson(`${catalogUrl}/products/${id}`, { signal }), {
    idempotent: true,
    fallback: () => ({ id, degraded: 'name and price only, from the search index' }),
  }),
);

app.post<{ Params: { id: string } }>('/products/:id/buy', ({ params: { id } }) =>
  protect(
    'payments',
    ({ signal }) => connections.fetchJson(`${paymentsUrl}/charges/${id}`, { method: 'POST', signal }),
    { fallback: () => ({ id, degraded: 'order taken, to be charged later' }) },
  ),
);

async function withHealing(): Promise<Protect> {
  const runtime = createHealing({
    targets: {
      'upstream:payments': {
        timeoutMs: 400,
        circuit: { windowMs: 2_000, minimumCalls: 8, openMs: 500, maxOpenMs: 1_000, rampMs: 500 },
        recovery: { escalateAfterMs: 4_000, anomalyCalls: 4 },
      },
      'upstream:catalog': { timeoutMs: 400, recovery: { proveMs: 500 } },
    },
    notify: ({ target, level }) => tell(target, `a person is told: level ${level} for ${target}`),
  });
  const tell = tellOf(runtime);
  await app.register(healing, { runtime });
  await app.register(healthEndpoint, { prefix: '/health', runtime, details: true });
  app.post<{ Params: { upstream: string; state: string } }>(
    '/circuits/:upstream/:state',
    async ({ params }) => {
      const state = params.state === 'open' || params.state === 'closed' ? params.state : null;
      const target = runtime.target(`upstream:${params.upstream}`);
      await target.force(state, { reason: 'by hand' });
      return { target: target.name, state: target.state, forced: state };
    },
  );
  return (upstream, call, options) => runtime.target(`upstream:${upstream}`).run(call, options);
}

function withoutHealing(): Protect {
  return (_upstream, call) => call({ signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS) });
}

listen(() => {});
report({ type: 'ready', url: await app.listen({ port: Number(port), host: '127.0.0.1' }) });
