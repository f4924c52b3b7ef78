// The service: two routes, each of which calls an upstream. With and without healing it is the same code.
// node service.ts with|without FRAMEWORK PAYMENTS_URL CATALOG_URL PORT
import { createHealing, type Healing, type RunOptions } from '@healix/core';
import { type Framework, frameworks } from '../frameworks/index.ts';
import type { ShopRoute } from '../frameworks/shop.ts';
import { CLIENT_TIMEOUT_MS, CONNECTIONS } from '../settings.ts';
import { listen, report } from './child.ts';
import { Connections } from './connections.ts';
import { tellOf } from './tell.ts';

const [variant, framework, paymentsUrl, catalogUrl, port] = process.argv.slice(2);
const connections = new Connections(CONNECTIONS);

type Call = (context: { signal: AbortSignal }) => Promise<object>;
type Protect = (upstream: string, call: Call, options: RunOptions<object>) => Promise<object>;

const runtime = variant === 'with' ? makeRuntime() : undefined;
const protect = runtime === undefined ? withoutHealing() : withHealing(runtime);

const routes: ShopRoute[] = [
  {
    method: 'get',
    path: '/products/:id',
    answer: ({ id }) =>
      protect('catalog', ({ signal }) => connections.fetchJson(`${catalogUrl}/products/${id}`, { signal }), {
        idempotent: true,
        fallback: () => ({ id, degraded: 'name and price only, from the search index' }),
      }),
  },
  {
    method: 'post',
    path: '/products/:id/buy',
    answer: ({ id }) =>
      protect(
        'payments',
        ({ signal }) => connections.fetchJson(`${paymentsUrl}/charges/${id}`, { method: 'POST', signal }),
        { fallback: () => ({ id, degraded: 'order taken, to be charged later' }) },
      ),
  },
];
if (runtime !== undefined) routes.push(circuitByHand(runtime));

function makeRuntime(): Healing {
  const made = createHealing({
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
  const tell = tellOf(made);
  return made;
}

function withHealing(healing: Healing): Protect {
  return (upstream, call, options) => healing.target(`upstream:${upstream}`).run(call, options);
}

function withoutHealing(): Protect {
  return (_upstream, call) => call({ signal: AbortSignal.timeout(CLIENT_TIMEOUT_MS) });
}

function circuitByHand(healing: Healing): ShopRoute {
  return {
    method: 'post',
    path: '/circuits/:upstream/:state',
    async answer({ upstream, state: wanted }) {
      const state = wanted === 'open' || wanted === 'closed' ? wanted : null;
      const target = healing.target(`upstream:${upstream}`);
      await target.force(state, { reason: 'by hand' });
      return { target: target.name, state: target.state, forced: state };
    },
  };
}

const { serve } = await frameworks[framework as Framework]();
listen(() => {});
report({ type: 'ready', url: await serve({ runtime, routes }, Number(port)) });
