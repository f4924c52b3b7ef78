// One replica of the shop's checkout. With a Redis it shares its circuits with the others.
// node replica.ts NAME FRAMEWORK PAYMENTS_URL [REDIS_URL SERVICE]
import { createHealing, isHealixError } from '@healix/core';
import { type Framework, frameworks } from '../../frameworks/index.ts';
import type { ShopRoute } from '../../frameworks/shop.ts';
import { listen, report } from '../../processes/child.ts';
import { Connections } from '../../processes/connections.ts';
import { REDIS_PATIENCE_MS, UPSTREAM_TIMEOUT_MS } from '../settings.ts';

const [replica, framework, paymentsUrl, redis, service] = process.argv.slice(2) as [
  string,
  string,
  string,
  ...(string | undefined)[],
];
// Only the arguments say whether there is a Redis.
delete process.env.HEALIX_REDIS_URL;
const runtime = createHealing({
  redis,
  service,
  targets: {
    'upstream:payments': { timeoutMs: UPSTREAM_TIMEOUT_MS },
    // All that fails here is the upstream's fault.
    routes: { match: 'route:**', policy: { neverOpen: true } },
  },
});
const payments = runtime.target('upstream:payments');
const connections = new Connections(Number.POSITIVE_INFINITY);

runtime.on('transition', ({ target, to, reason }) => {
  if (target !== payments.name) return;
  report({ type: 'moved', replica, to, reason, at: performance.timeOrigin + performance.now() });
});

/** Resolves once Redis has answered. */
function connected(): Promise<void> {
  const patience = setTimeout(() => {
    report({ type: 'failed', why: `${redis} cannot be used: ${runtime.status().fleet?.store.lastError}` });
  }, REDIS_PATIENCE_MS);
  return new Promise((resolve) => {
    runtime.on('store', ({ state }) => {
      if (state !== 'connected') return;
      clearTimeout(patience);
      resolve();
    });
  });
}

async function charge(id: string | undefined): Promise<object> {
  try {
    return await payments.run(({ signal }) => {
      const headers: Record<string, string> = { 'x-caller': replica };
      if (payments.state === 'half-open') headers['x-probe'] = 'yes';
      return connections.fetchJson(`${paymentsUrl}/charges/${id}`, { method: 'POST', headers, signal });
    });
  } catch (error) {
    // Only here is it sure that nothing was charged.
    if (isHealixError(error, 'HEALIX_CIRCUIT_OPEN')) return { degraded: 'order taken, to be charged later' };
    throw error;
  }
}

const buy: ShopRoute = {
  method: 'post',
  path: '/products/:id/buy',
  answer: ({ id }) => charge(id),
};

if (redis !== undefined) await connected();
const { serve } = await frameworks[framework as Framework]();
listen(() => {});
report({ type: 'ready', url: await serve({ runtime, routes: [buy] }, 0) });
