import { afterEach, expect, test, vi } from 'vitest';
import type { HealingOptions } from './healing.ts';
import { Healing } from './healing.ts';
import { FleetMemory } from './store/memory/fleet-memory.ts';
import { MemoryStore } from './store/memory/memory-store.ts';
import type { Store } from './store/store.ts';
import { seededRandom } from './time/random.ts';
import { VirtualClock } from './time/virtual-clock.ts';

const clock = new VirtualClock();
const memory = new FleetMemory(clock);
let serial = 0;

afterEach(() => vi.unstubAllEnvs());

function replica(
  service: string,
  store: Store = new MemoryStore(memory),
  more: Partial<HealingOptions> = {},
) {
  return new Healing({ service, store, clock, random: seededRandom(++serial), shared: false, ...more });
}

test('update({ fleet }) holds for a target in use', async () => {
  const [a, b] = [replica('update'), replica('update')];
  const [mine, other] = [a.target('upstream:x'), b.target('upstream:x')];
  for (const target of [mine, other]) await target.run(async () => 1);
  mine.update({ fleet: false });
  await other.force('open');
  await clock.advance(6_000);
  expect(mine.status().forced).toBe(null);
  mine.update({ fleet: true });
  await clock.advance(6_000);
  expect(mine.status().forced).toBe('open');
  await Promise.all([a.close(), b.close()]);
});

test('a store that is away is told in health and metrics', async () => {
  const store = new MemoryStore(memory);
  const runtime = replica('away', store);
  await clock.advance(100);
  expect(runtime.status()).toMatchObject({ status: 'healthy', reasons: [] });
  expect(await runtime.metrics()).toMatch(/^healix_store_connected 1$/m);
  store.heartbeat = () => Promise.reject(new Error('gone'));
  await clock.advance(8_000);
  expect(runtime.status()).toMatchObject({
    status: 'degraded',
    reasons: ['fleet: this process heals alone, the store is away: gone'],
  });
  const metrics = await runtime.metrics();
  expect(metrics).toMatch(/^healix_store_connected 0$/m);
  expect(metrics).toMatch(/^healix_replicas 1$/m);
  await runtime.close();
});

test('empty variables of the environment count as absent', () => {
  vi.stubEnv('HEALIX_REDIS_URL', '');
  vi.stubEnv('HEALIX_SERVICE', '');
  const runtime = new Healing({ clock, random: seededRandom(1), shared: false });
  expect(runtime.status().fleet).toBeUndefined();
});

test('what is switched off asks for no service', () => {
  vi.stubEnv('HEALIX_REDIS_URL', 'redis://127.0.0.1:1');
  const runtime = new Healing({ clock, random: seededRandom(1), shared: false, disabled: true });
  expect(runtime.disabled).toBe(true);
  expect(() => new Healing({ clock, random: seededRandom(1), shared: false })).toThrow(/service/);
});

test.each(['redis://host:99999', 'http://host', 'host:6379'])(
  '%s is no Redis, wherever it is given',
  (url) => {
    const message = /redis: ".*" was given; allowed: a URL such as redis:\/\/host:6379/;
    expect(() => new Healing({ shared: false, service: 'a', redis: url })).toThrow(message);
    vi.stubEnv('HEALIX_REDIS_URL', url);
    expect(() => new Healing({ shared: false, service: 'a' })).toThrow(message);
  },
);

test.each(['a:v1', 'ä', 'a b'])('a service named %s by the environment is refused like any other', (name) => {
  vi.stubEnv('HEALIX_SERVICE', name);
  const make = () => new Healing({ shared: false, store: new MemoryStore(memory) });
  expect(make).toThrow(expect.objectContaining({ path: 'HEALIX_SERVICE', given: name }));
});

test.each(['leave', 'renew', 'seed', 'force', 'read'])('what has no %s is no store', (missing) => {
  const store = Object.assign(new MemoryStore(memory), { [missing]: undefined });
  const make = () => new Healing({ shared: false, service: 'a', store: store as Store });
  expect(make).toThrow(expect.objectContaining({ path: 'store' }));
});

test('a store in memory wants a memory', () => {
  expect(() => new MemoryStore(undefined as never)).toThrow(
    'MemoryStore: undefined was given; allowed: a FleetMemory',
  );
});
