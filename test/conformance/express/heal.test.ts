import { once } from 'node:events';
import type { AddressInfo, Server } from 'node:net';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { heal, healing } from '@healix/express';
import type { Express, RequestHandler } from 'express';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { VERSIONS } from './app.ts';

const ok: RequestHandler = (_req, res) => {
  res.send('ok');
};
const silent: RequestHandler = () => {};

describe.each(VERSIONS)('%s heal', (_version, module) => {
  let runtime: Healing;
  let app: Express;
  let server: Server | undefined;

  beforeEach(() => {
    runtime = createHealing({ shared: false, clock: new SteadyClock() });
    app = module();
  });

  afterEach(async () => {
    server?.close();
    await runtime.close();
  });

  async function ask(path: string, method = 'GET'): Promise<number> {
    if (server === undefined || !server.listening) {
      server = app.listen(0);
      await once(server, 'listening');
    }
    const { port } = server.address() as AddressInfo;
    return (await fetch(`http://127.0.0.1:${port}${path}`, { method })).status;
  }

  const settings = (name = 'GET /a') => runtime.target(`route:${name}`).settings;
  const STACK = () => [
    heal({ deadlineMs: 2_000, policy: { concurrency: 7, deny: 'closed' } }),
    heal({ deadlineMs: 3_000, runtime, policy: { denyStatus: 451 } }),
  ];
  const MERGED = { deadlineMs: 3_000, policy: { concurrency: 7, deny: 'closed', denyStatus: 451 } };

  describe('several beside one route are merged, the later over the earlier', () => {
    test('behind healing', async () => {
      app.use(healing(runtime));
      app.get('/a', ...STACK(), ok);
      expect(await ask('/a')).toBe(451);
      expect(settings()).toMatchObject(MERGED);
    });

    test('where they stand alone, the runtime too', async () => {
      app.get('/a', ...STACK(), ok);
      expect(await ask('/a')).toBe(451);
      expect(settings()).toMatchObject(MERGED);
    });

    test('those of another method apart', async () => {
      app.use(healing(runtime));
      app
        .route('/a')
        .get(heal({ deadlineMs: 2_000 }), ok)
        .post(heal({ deadlineMs: 4_000 }), ok);
      await ask('/a');
      await ask('/a', 'POST');
      expect([settings().deadlineMs, settings('POST /a').deadlineMs]).toEqual([2_000, 4_000]);
    });

    test.each([
      ['behind healing', true],
      ['alone', false],
    ])('deadlineAnswer by itself: %s', async (_where, behind) => {
      if (behind) app.use(healing(runtime));
      app.get(
        '/a',
        heal({ runtime, deadlineMs: 50, deadlineAnswer: true }),
        heal({ timeoutMs: 900 }),
        silent,
      );
      expect(await ask('/a')).toBe(504);
    });
  });

  test('behind healing, the runtime is that of healing', async () => {
    const other = createHealing({ shared: false, clock: new SteadyClock() });
    app.use(healing(runtime));
    app.get('/a', heal({ runtime: other, deadlineMs: 2_000 }), ok);
    expect(await ask('/a')).toBe(200);
    expect(Object.keys(other.status().targets)).toEqual([]);
    expect(settings().deadlineMs).toBe(2_000);
    await other.close();
  });

  test('a runtime alone is one', async () => {
    app.get('/a', heal(runtime), ok);
    expect(await ask('/a')).toBe(200);
    expect(Object.keys(runtime.status().targets)).toEqual(['route:GET /a']);
  });

  describe('before routes, by use', () => {
    const warnings = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    beforeEach(() => warnings.mockClear());

    function mount(behind: boolean, path: string) {
      if (behind) app.use(healing(runtime));
      const router = module.Router();
      const inner = module.Router();
      router.get('/before', ok);
      router.use(heal({ runtime, deadlineMs: 2_000, policy: { concurrency: 7 } }));
      router.get('/a', ok);
      router.get('/b', heal({ deadlineMs: 3_000 }), ok);
      inner.get('/c', ok);
      router.use('/inner', inner);
      app.use(path, router);
      app.get('/beside', ok);
    }

    test.each(['/api', '/'])(
      'it is for all routes of its router that come after it, mounted at %s',
      async (at) => {
        mount(true, at);
        const base = at === '/' ? '' : at;
        for (const path of ['/before', '/a', '/b', '/inner/c']) expect(await ask(base + path)).toBe(200);
        await ask('/beside');
        const limits = (name: string) => {
          const { deadlineMs, policy } = settings(name);
          return [deadlineMs, policy.concurrency];
        };
        expect(limits(`GET ${base}/before`)).toEqual([undefined, undefined]);
        expect(limits(`GET ${base}/a`)).toEqual([2_000, 7]);
        expect(limits(`GET ${base}/b`)).toEqual([3_000, 7]);
        expect(limits(`GET ${base}/inner/c`)).toEqual([2_000, 7]);
        expect(limits('GET /beside')).toEqual([undefined, undefined]);
        expect(warnings).not.toHaveBeenCalled();
      },
    );

    test('it is read before the request is admitted', async () => {
      app.use(healing(runtime));
      const seen: RequestHandler = vi.fn((_req, _res, next) => next());
      const router = module.Router();
      router.use(seen, heal({ policy: { deny: 'closed' } }));
      router.get('/a', ok);
      app.use('/api', router);
      expect(await ask('/api/a')).toBe(403);
      expect(seen).not.toHaveBeenCalled();
    });

    test('in an app within the app', async () => {
      const inner = module();
      inner.use(heal({ deadlineMs: 2_000 }));
      inner.get('/a', ok);
      app.use(healing(runtime));
      app.use('/inner', inner);
      await ask('/inner/a');
      await vi.waitFor(() => expect(settings('GET /inner/a').deadlineMs).toBe(2_000));
      expect(warnings).not.toHaveBeenCalled();
    });

    test('without healing it admits the requests itself', async () => {
      mount(false, '/api');
      expect(await ask('/api/before')).toBe(200);
      expect(await ask('/api/b')).toBe(200);
      expect(Object.keys(runtime.status().targets)).toEqual(['route:GET /api/b']);
      expect(settings('GET /api/b')).toMatchObject({ deadlineMs: 3_000, policy: { concurrency: 7 } });
    });

    test.each([
      ['with a path', (app: Express) => app.use('/a', heal({ deadlineMs: 2_000 }))],
      [
        'behind a function of the user’s own',
        (app: Express) => {
          const hidden = module.Router().use(heal({ deadlineMs: 2_000 }));
          app.use((req, res, next) => hidden(req, res, next));
        },
      ],
    ])('where healing cannot see what it is for, a warning says so, once: %s', async (_where, put) => {
      app.use(healing(runtime));
      put(app);
      app.get('/a', ok);
      expect([await ask('/a'), await ask('/a')]).toEqual([200, 200]);
      expect(settings().deadlineMs).toBeUndefined();
      expect(warnings.mock.calls.map(([, options]) => (options as { code?: string }).code)).toEqual([
        'HEALIX_HEAL',
      ]);
    });
  });
});

test.each([
  [{ name: () => 'x' }, 'name'],
  [{ onRefused: () => undefined }, 'onRefused'],
  [{ maxNames: 5 }, 'maxNames'],
  [{ deadlinMs: 5 }, 'deadlinMs'],
  [{ deadlineAnswer: 'yes' }, 'deadlineAnswer'],
  [{ runtime: {} }, 'runtime'],
  [{ circuit: { openMs: 5_000, maxOpenMs: 100 } }, 'heal.circuit.maxOpenMs'],
  [null, 'options'],
])('what it does not honour is a ConfigError: %o', (options, path) => {
  expect(() => heal(options as never)).toThrow(expect.objectContaining({ code: 'HEALIX_CONFIG', path }));
});
