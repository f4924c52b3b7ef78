import { createHealing, type Healing, redisStore } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import type { ChainableCommander, Redis } from 'ioredis';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { pause } from '../conformance/harness/wait.ts';
import { RedisServer } from '../fleet/harness/redis-server.ts';

/** Two runtimes and a server on two busy cores. */
const PATIENCE_MS = 20_000;
const A = 'upstream:a';
const B = 'upstream:b';

let server: RedisServer;
let writer: Redis;
let tag = '';
let serial = 0;
let service = '';
const runtimes: Healing[] = [];

beforeAll(async () => {
  server = await RedisServer.start();
  writer = server.client();
});
afterAll(() => server.stop());
beforeEach(() => {
  service = `hostile-${serial++}`;
  tag = `{healix:v1:${service}}`;
});
afterEach(async () => {
  for (const runtime of runtimes.splice(0)) await runtime.close();
});

const key = (name: string) => `${tag}:${name}`;

async function replica(...targets: string[]): Promise<Healing> {
  const runtime = createHealing({
    shared: false,
    clock: new SteadyClock(),
    store: redisStore(server.client()),
    service,
    defaults: {
      retry: { maxRetries: 0 },
      circuit: { openMs: 100, maxOpenMs: 200, minimumCalls: 5, consecutiveFailures: 5 },
    },
  });
  runtimes.push(runtime);
  for (const name of targets) await runtime.target(name).run(() => 1);
  await become('connected', () => runtime.status().fleet?.store.state === 'connected');
  return runtime;
}

async function become(what: string, is: () => unknown): Promise<void> {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await is())) {
    const seen = runtimes.map((runtime) => [runtime.status().fleet?.store, runtime.status().targets]);
    if (performance.now() > giveUp) throw new Error(`not ${what}: ${JSON.stringify(seen)}`);
    await pause(10);
  }
}

/** What the calls of a service come to: whether the circuit lets them, and with which error they end. */
async function fails(runtime: Healing, name: string, times: number): Promise<void> {
  for (let i = 0; i < times; i++) {
    const call = runtime.target(name).run(() => Promise.reject(new Error('down')));
    await expect(call).rejects.toThrow(/^down$|circuit is open/);
  }
}

const stateIn = (runtime: Healing, name: string) => runtime.target(name).status();

/** Succeeds until the circuit has closed. */
async function heals(runtime: Healing, name: string): Promise<void> {
  await become('closed', async () => {
    await runtime
      .target(name)
      .run(() => 1)
      .catch(() => undefined);
    return stateIn(runtime, name).state === 'closed';
  });
}

describe('garbage in Redis', () => {
  type Spoil = (name: string, to: ChainableCommander) => unknown;
  const hash = { ep: '1e99', eid: '', st: 'open', until: 'NaN', x: '\0', [A]: '{' };
  const garbage: Record<string, Spoil> = {
    'a string': (name, to) => to.set(name, 'x'),
    'a list': (name, to) => to.rpush(name, 'x', 'y'),
    'a sorted set': (name, to) => to.zadd(name, 'Infinity', 'x', '-Infinity', '\0', 1e15, A),
    'a hash': (name, to) => to.hset(name, hash),
    'a stream': (name, to) => to.xadd(name, '*', 'e', '[[['),
    'a megabyte': (name, to) => to.set(name, 'x'.repeat(1_000_000)),
  };

  const KEYS = [
    's',
    'm',
    'i',
    'o',
    'f',
    ...['t', 'w', 'l'].flatMap((what) => [`${what}:${A}`, `${what}:${B}`]),
  ];
  async function spoil(kind: string): Promise<void> {
    for (const name of KEYS) {
      const commands = writer.multi().del(key(name));
      garbage[kind]?.(key(name), commands);
      await commands.exec();
    }
  }

  it.each(Object.keys(garbage))('%s in every key, at any time, is mended', async (kind) => {
    const [a, b] = [await replica(A, B), await replica(A, B)];
    await spoil(kind);
    for (const runtime of [a, b]) await fails(runtime, A, 10);
    for (const runtime of [a, b]) await become('open', () => stateIn(runtime, A).state !== 'closed');
    await spoil(kind);
    for (const runtime of [a, b]) await heals(runtime, A);
    await spoil(kind);
    // On a busy machine Redis may not answer in time.
    await become('told', async () => (await a.target(B).force('open')).scope === 'fleet');
    await become('of one mind', () => stateIn(b, B).forced === 'open');
  });

  it('without end fails no call, and is over when it ends', async () => {
    const a = await replica(A, B);
    let spoiling = true;
    const spoiler = (async () => {
      while (spoiling) for (const kind of ['a list', 'a hash', 'a stream']) await spoil(kind);
    })();
    for (let i = 0; i < 100; i++) {
      expect(await a.target(B).run(() => i)).toBe(i);
      await pause(10);
    }
    await fails(a, A, 10);
    await become('open', () => stateIn(a, A).state !== 'closed');
    spoiling = false;
    await spoiler;
    await heals(a, A);
  });
});

describe('the stream', () => {
  const view = {
    target: A,
    ep: 9,
    eid: 'forged',
    st: 'open',
    rem: 100,
    dur: 100,
    n: 1,
    f: '',
    fv: 0,
    ftok: '',
    rep: 0,
  };
  const many = Array.from({ length: 5_000 }, (_, i) => ({ ...view, target: `upstream:${i}` }));
  const nested = '['.repeat(500_000);
  const bombs: Record<string, string[]> = {
    'no JSON': ['e', '{'],
    'another field': ['x', JSON.stringify({ views: [view] })],
    'a megabyte of brackets': ['e', nested],
    'a megabyte of nested arrays': ['e', `{"views":${nested}${']'.repeat(500_000)}}`],
    'a megabyte of views': ['e', JSON.stringify({ views: many })],
    'a megabyte in a name': ['e', JSON.stringify({ views: [{ ...view, target: 'x'.repeat(1_000_000) }] })],
    'a prototype': [
      'e',
      '{"__proto__":{"polluted":1},"views":[{"__proto__":{"polluted":1},"target":"__proto__"}]}',
    ],
    'views that are none': ['e', JSON.stringify({ views: [null, 1, 'x', [], {}], asks: [null, {}, 1] })],
    'figures that are none': ['e', `{"views":[{"target":"${A}","ep":1e999,"rem":-1,"dur":"x"}]}`],
    'an epoch far away': ['e', JSON.stringify({ views: [{ ...view, ep: 2 ** 39 }] })],
  };

  it.each(Object.entries(bombs))(
    'with %s tells nothing, and what comes after it is heard',
    async (_, entry) => {
      const [a, b] = [await replica(A, B), await replica(A, B)];
      const heard: string[] = [];
      a.on('fleet', ({ target }) => heard.push(target));
      for (let i = 0; i < 5; i++) await writer.xadd(key('s'), '*', ...entry);
      await b.target(B).force('open');
      await become('of one mind', () => stateIn(a, B).forced === 'open');
      expect(heard).toEqual([B]);
      expect(stateIn(a, A).state).toBe('closed');
      expect(Object.keys(a.status().targets).sort()).toEqual([A, B]);
      expect(({} as { polluted?: number }).polluted).toBeUndefined();
    },
  );

  it('played again tells nothing new', async () => {
    const [a, b] = [await replica(A), await replica(A)];
    await a.target(A).force('open');
    await become('of one mind', () => stateIn(b, A).forced === 'open');
    const past = await writer.xrange(key('s'), '-', '+');
    await a.target(A).force(null);
    await become('free', () => stateIn(b, A).forced === null);
    await heals(b, A);
    const moves: string[] = [];
    b.on('transition', ({ target, to }) => target === A && moves.push(to));
    for (const [, fields] of past) await writer.xadd(key('s'), '*', ...fields);
    await a.target('upstream:last').force('open');
    await b
      .target('upstream:last')
      .run(() => 1)
      .catch(() => undefined);
    await become('behind the past', () => stateIn(b, 'upstream:last').forced === 'open');
    expect(moves).toEqual([]);
    expect(stateIn(b, A)).toMatchObject({ state: 'closed', forced: null });
  });
});

describe('who may write to Redis', () => {
  const record = { ep: 3, eid: 'forged', st: 'open', until: 9e13, dur: 80_000_000, n: 1 };

  it('can force nothing that is not shared', async () => {
    const a = await replica(A);
    a.target(B).update({ fleet: false });
    await a.target(B).run(() => 1);
    for (const name of [A, B]) {
      await writer.hset(key(`t:${name}`), { ...record, f: 'open', fv: 1 });
      await writer.hset(key('f'), name, 1);
    }
    await become('forced', () => stateIn(a, A).forced === 'open');
    expect(stateIn(a, B).forced).toBeNull();
  });

  it('can open and close a circuit, for a minute at most each time, and makes no targets', async () => {
    const a = await replica(A);
    await writer.hset(key(`t:${A}`), record);
    await writer.hset(key('t:upstream:evil'), record);
    await writer.zadd(key('o'), 3, A, 3, 'upstream:evil');
    await become('open', () => stateIn(a, A).state === 'open');
    expect(stateIn(a, A).retryAfterMs).toBeLessThanOrEqual(60_000);
    expect(Object.keys(a.status().targets)).toEqual([A]);
    await writer.hset(key(`t:${A}`), { ...record, ep: 4, st: 'closed' });
    await writer.zrem(key('o'), A);
    await become('closed', () => stateIn(a, A).state === 'closed');
  });
});

const NAMES = [
  '__proto__',
  'constructor',
  'a{b}c',
  '}{',
  'line\nbreak',
  'nul\0nul',
  '*',
  ' ',
  '"\\\'',
  'a:t:b',
  '%s',
  '😀',
];

describe('a name', () => {
  it.each(NAMES)('such as %j is shared like any other', async (name) => {
    const target = `upstream:${name}`;
    const [a, b] = [await replica(target, B), await replica(target, B)];
    await become('told', async () => (await a.target(target).force('open')).scope === 'fleet');
    await become('of one mind', () => stateIn(b, target).forced === 'open');
    expect(stateIn(b, B).forced).toBeNull();
  });

  it.each([`long ${'x'.repeat(3_000)}`, 'half a character \ud800'])(
    'that cannot be shared (%#) is nobody else’s trouble',
    async (name) => {
      const target = `upstream:${name}`;
      const [a, b] = [await replica(target, B), await replica(target, B)];
      expect(await a.target(target).force('open')).toEqual({ scope: 'process' });
      await a.target(B).force('open');
      await become('of one mind', () => stateIn(b, B).forced === 'open');
      expect(stateIn(b, target).forced).toBeNull();
      for (const runtime of [a, b]) expect(runtime.status().fleet?.store.failures).toBe(0);
    },
  );
});
