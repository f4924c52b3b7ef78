import { heal, healing } from '@healix/express';
import type { RequestHandler } from 'express';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { HealedApp, VERSIONS } from './app.ts';

const ok: RequestHandler = (_req, res) => {
  res.send('ok');
};
const pass: RequestHandler = (_req, _res, next) => next();

describe.each(VERSIONS)('%s names', (version, module) => {
  const is4 = version === 'Express 4';
  const everything = is4 ? '*' : '/*rest';
  let healed: HealedApp;
  let app: HealedApp['app'];

  beforeEach(() => {
    healed = new HealedApp(module);
    app = healed.app;
  });
  afterEach(() => healed.close());

  test('mounts with parameters, one router under two of them, a value that equals a literal', async () => {
    const router = module.Router();
    router.get('/', ok);
    router.get('/users/:id', ok);
    app.use('/left', router);
    app.use('/orgs/:org', router);
    await healed.listen();
    for (let i = 0; i < 2; i++) {
      await healed.ask('/left/users/1', '/orgs/orgs/users/users', '/orgs/left/users/2', '/left', '/orgs/a/');
    }
    await healed.booked({
      'GET /left/users/:id': 2,
      'GET /orgs/:org/users/:id': 4,
      'GET /left': 2,
      'GET /orgs/:org': 2,
    });
    expect(healed.corrected).toBe(0);
  });

  test('one router under two mounts of which one matches what the other does', async () => {
    const router = module.Router();
    router.get('/x', ok);
    app.use('/admin', router);
    app.use('/:tenant', router);
    await healed.listen();
    await healed.ask('/acme/x', '/admin/x', '/acme/x', '/admin/x', '/other/x');
    await healed.booked({ 'GET /:tenant/x': 3, 'GET /admin/x': 2 });
  });

  test('a route for all, which passes most requests on, is not their name', async () => {
    app.all(everything, (req, res, next) => {
      if (req.headers.authorization || req.query.key) next();
      else res.sendStatus(401);
    });
    app.get('/things/:id', ok);
    await healed.listen();
    expect(await healed.ask('/things/1?key=1', '/things/2?key=1', '/things/3?key=1')).toEqual([
      200, 200, 200,
    ]);
    expect(healed.corrected).toBeLessThanOrEqual(1);
    expect(await healed.ask('/things/1')).toEqual([401]);
    await healed.booked({ 'GET /things/:id': 3, [`* ${everything}`]: 1 });
  });

  test('methods beside `all` keep their names, and all others share one', async () => {
    app.route('/it').all(pass).get(ok).post(ok).all(ok);
    await healed.listen();
    await healed.ask('/it', 'HEAD /it', 'POST /it', 'PUT /it', 'PURGE /it', 'PROPFIND /it');
    await healed.booked({ 'GET /it': 2, 'POST /it': 1, '* /it': 3 });
  });

  test("next('route'): the one that took it", async () => {
    app.get('/a/:id', (_req, _res, next) => next('route'));
    app.get('/a/:name', ok);
    await healed.listen();
    await healed.ask('/a/1', '/a/2', '/a/3');
    await healed.booked({ 'GET /a/:name': 3 });
    expect(healed.corrected).toBe(1);
  });

  test('apps in apps, parameters included; after the first request they are foreseen', async () => {
    const inner = module();
    inner.get('/users/:id', ok);
    const outer = module();
    outer.use('/v1', inner);
    app.use('/sub/:tenant', pass);
    app.use('/sub/:tenant', outer);
    await healed.listen();
    await healed.ask('/sub/a/v1/users/1', '/sub/b/v1/users/2', '/sub/c/v1/users/3');
    await healed.booked({ 'GET /sub/:tenant/v1/users/:id': 3 });
    expect(healed.corrected).toBe(1);
  });

  test('an app that stands in a router', async () => {
    const inner = module();
    inner.get('/it/:id', ok);
    const router = module.Router();
    router.use('/inner', inner);
    app.use('/outer', router);
    await healed.listen();
    await healed.ask('/outer/inner/it/1', '/outer/inner/it/2');
    await healed.booked({ 'GET /outer/inner/it/:id': 2 });
  });

  test('healing in an app that is mounted alone: the whole name', async () => {
    const runtime = healed.runtime;
    const bare = module();
    const inner = module();
    inner.use(healing(runtime));
    inner.get('/it/:id', ok);
    bare.use('/sub/:x', inner);
    healed.app = bare;
    await healed.listen();
    await healed.ask('/sub/1/it/1', '/sub/2/it/2');
    await healed.booked({ 'GET /sub/:x/it/:id': 2 });
    expect(healed.corrected).toBe(0);
  });

  test('routers behind functions: as much as can be known, and never a value', async () => {
    const deep = module.Router();
    deep.get('/users/:id', ok);
    const hidden = module.Router();
    hidden.get('/plain', ok);
    hidden.use('/orgs/:org', deep);
    app.use('/hidden', (req, res, next) => hidden(req, res, next));
    await healed.listen();
    for (let i = 0; i < 30; i++) await healed.ask(`/hidden/orgs/${i}/users/${i}`);
    await healed.ask('/hidden/plain', '/hidden/plain');
    await healed.booked({ 'GET /hidden/*/users/:id': 30, 'GET /hidden/plain': 2 });
  });

  test('regular expressions and lists, as routes and as mounts', async () => {
    app.get(/^\/files\/(.+)$/, ok);
    app.get(['/colour/:id', '/color/:id'], ok);
    const router = module.Router();
    router.get('/it', ok);
    app.use(['/one', '/two/:x'], router);
    await healed.listen();
    for (let i = 0; i < 2; i++) {
      await healed.ask('/files/a', '/files/b/c', '/colour/1', '/COLOR/2', '/one/it', '/two/three/it');
    }
    await healed.booked({
      'GET /^\\/files\\/(.+)$/': 4,
      'GET /colour/:id': 2,
      'GET /color/:id': 2,
      'GET /one/it': 2,
      'GET /two/:x/it': 2,
    });
    expect(healed.corrected).toBe(0);
  });

  test('lists of routes and of mounts: never what was asked for', async () => {
    const router = module.Router();
    router.get('/it', ok);
    const optional = is4 ? '/optional/:x?' : '/optional{/:x}';
    const lists = [
      ['/one/:x', '/two/:y'],
      ['/part/:x-:y', '/part.:x', '/none'],
      [is4 ? '/wild/*' : '/wild/*rest', optional],
      [/^\/word\/\w+$/, /^\/group\/(\w+)$/, '/words'],
      ...(is4 ? [['/digits/\\d+', '/more/:n(\\d+)', '/few+']] : []),
    ];
    for (const list of lists) {
      app.get(list, ok);
      app.use(
        list.map((path) => (typeof path === 'string' ? `/in${path}` : /^\/in\/word\/\w+/)),
        router,
      );
    }
    app.use('/in/single-:x', router);
    await healed.listen();
    const paths = [
      'one/#',
      'TWO/#/',
      'part/#-#',
      'part.#',
      'wild/#/#',
      'optional/#',
      'optional',
      'word/#',
      'group/#',
    ];
    const asked = [
      ...paths,
      'digits/#',
      'more/#',
      'few#',
      'in/single-#/it',
      ...paths.map((path) => `in/${path}/it`),
    ];
    const ids = ['1234', '5678', 'wwww', 'A%2Fb'];
    for (const id of ids) await healed.ask(...asked.map((path) => `/${path.replaceAll('#', id)}`));
    const names = Object.keys(healed.runtime.status().targets);
    expect(names.filter((name) => ids.some((id) => name.includes(id)))).toEqual([]);
    expect(names).toEqual(
      expect.arrayContaining(['route:GET /one/:x', 'route:GET /two/:y', 'route:GET /in/one/:x/it']),
    );
    expect(names.length).toBeLessThanOrEqual(25);
  });

  test('a URL that is rewritten behind healing is booked rightly, and admitted without a route', async () => {
    app.use((req, _res, next) => {
      req.url = req.url.replace('/old/', '/new/');
      next();
    });
    app.get('/new/:id', ok);
    await healed.listen();
    await healed.ask('/old/1', '/old/2', '/old/3');
    await healed.booked({ 'GET /new/:id': 3 });
    expect(healed.corrected).toBe(3);
    await healed.runtime.target('route:GET /new/:id').force('open');
    expect(await healed.ask('/old/4', '/new/4')).toEqual([200, 503]);
  });

  test('capitals and a slash at the end make no other name', async () => {
    const router = module.Router();
    router.get('/users/:id', ok);
    app.use('/api', router);
    await healed.listen();
    await healed.ask('/api/users/1', '/API/Users/2', '/Api/USERS/3/', '/api/users/4');
    await healed.booked({ 'GET /api/users/:id': 4 });
    expect(healed.corrected).toBe(0);
  });

  test('a route that passed the request on to nobody is not its name', async () => {
    app.get('/a/:id', pass);
    const router = module.Router();
    router.get('/b', pass);
    app.use('/in/:x', router);
    await healed.listen();
    expect(await healed.ask('/a/1', '/a/2', '/in/1/b')).toEqual([404, 404, 404]);
    await healed.booked({ unmatched: 3 });
  });

  test('an error keeps the name of its route, whoever answers for it', async () => {
    const router = module.Router();
    router.get('/fails/:id', () => {
      throw new Error('no');
    });
    app.use('/left', router);
    app.use('/right/:x', router);
    await healed.listen();
    expect(await healed.ask('/left/fails/1', '/right/2/fails/2')).toEqual([500, 500]);
    const answers: import('express').ErrorRequestHandler = (_error, _req, res, _next) => {
      res.status(502).send('sorry');
    };
    app.use(answers);
    expect(await healed.ask('/right/1/fails/1', '/left/fails/3')).toEqual([502, 502]);
    await healed.booked({ 'GET /left/fails/:id': 2, 'GET /right/:x/fails/:id': 2 });
  });

  test('what answers below a mount without a route has the name of the mount', async () => {
    app.use('/graphql', ok);
    app.use('/tenants/:id/files', (req, res, next) => (req.path === '/none' ? next() : ok(req, res, next)));
    await healed.listen();
    for (let i = 0; i < 20; i++) await healed.ask(`/graphql/${i}`, `/tenants/${i}/files/${i}`);
    await healed.ask('/tenants/1/files/none', '/tenants/2/files/none');
    await healed.booked({ '* /graphql': 20, '* /tenants/:id/files': 20, unmatched: 2 });
  });

  test('what is turned away before its route keeps the name of the route', async () => {
    app.use('/api', (req, res, next) => (req.query.key ? next() : res.sendStatus(401)));
    app.get('/api/it/:id', ok);
    app.use(module.json());
    app.post('/api/it', ok);
    await healed.listen();
    expect(await healed.ask('/api/it/1', '/api/it/2?key=1')).toEqual([401, 200]);
    const bad = await fetch(`${healed.base}/api/it?key=1`, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: '{bad',
    });
    expect(bad.status).toBe(400);
    await healed.booked({ 'GET /api/it/:id': 2, 'POST /api/it': 1 });
  });

  test('a path that Express cannot decode, and methods that it answers by itself', async () => {
    app.get('/here/:id', ok);
    await healed.listen();
    expect(await healed.ask('/here/1', '/here/%zz', 'OPTIONS /here/1', 'HEAD /here/1')).toEqual([
      200, 400, 200, 200,
    ]);
    await healed.booked({ 'GET /here/:id': 3, unmatched: 1 });
  });

  test('ten thousand paths under mounts that nobody can see into: few names, few corrections', async () => {
    const hidden = module.Router();
    hidden.get('/:a/x', ok);
    app.use('/hidden/:m', (req, res, next) => hidden(req, res, next));
    app.use('/open', ok);
    app.get('/seen/:id', ok);
    await healed.listen();
    for (let batch = 0; batch < 20; batch++) {
      const ids = Array.from({ length: 125 }, (_, i) => `${batch}-${i}`);
      await healed.askMany(
        ids.flatMap((id) => [`/hidden/${id}/${id}/x`, `/open/${id}`, `/seen/${id}`, `/none/${id}`]),
      );
    }
    await healed.booked({
      'GET /hidden/:m/:a/x': 2_500,
      '* /open': 2_500,
      'GET /seen/:id': 2_500,
      unmatched: 2_500,
    });
    expect(healed.corrected).toBeLessThan(50);
  });

  test('a router made anew for each request', async () => {
    app.use('/made', (req, res, next) => {
      const router = module.Router();
      router.get('/:id', ok);
      router(req, res, next);
    });
    await healed.listen();
    for (let i = 0; i < 20; i++) await healed.ask(`/made/${i}`);
    await healed.booked({ 'GET /made/:id': 20 });
  });

  test('routes that come later are found, and so are their settings', async () => {
    app.get('/first', ok);
    await healed.listen();
    await healed.ask('/first');
    const router = module.Router();
    app.use('/later', router);
    router.get('/it/:id', heal({ policy: { deny: 'closed' } }), ok);
    expect(await healed.ask('/later/it/1')).toEqual([403]);
    router.get('/open/:id', ok);
    await healed.ask('/later/open/1', '/later/open/2');
    await healed.booked({ 'GET /first': 1, 'GET /later/open/:id': 2 });
  });
});
