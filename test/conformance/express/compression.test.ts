import { once } from 'node:events';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { createHealing, type Healing } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { healing } from '@healix/express';
import compression from 'compression';
import type { RequestHandler, Response } from 'express';
import { afterEach, describe, expect, test } from 'vitest';
import { comparable } from '../harness/lab.ts';
import { RawClient, wire } from '../harness/raw-client.ts';
import { type Express, VERSIONS } from './app.ts';

const GZIP = { 'Accept-Encoding': 'gzip' };
const BR = { 'Accept-Encoding': 'br, gzip' };
const QUESTIONS: readonly (readonly [method: string, path: string, headers?: Record<string, string>])[] = [
  ['GET', '/json', GZIP],
  ['GET', '/json', BR],
  ['GET', '/json'],
  ['HEAD', '/json', GZIP],
  ['GET', '/json', { ...GZIP, 'If-None-Match': '*' }],
  ['GET', '/small', GZIP],
  ['GET', '/stream', GZIP],
  ['GET', '/flushed', GZIP],
  ['GET', '/kept', GZIP],
  ['GET', '/empty', GZIP],
  ['GET', '/nowhere', GZIP],
  ['GET', '/throws', GZIP],
  ['GET', '/json', { ...GZIP, Connection: 'close' }],
];

function serving(module: Express, before: readonly RequestHandler[]): Server {
  const app = module();
  app.set('env', 'test');
  for (const middleware of before) app.use(middleware);
  const long = 'compressible '.repeat(5_000);
  app.get('/json', (_req, res) => void res.json({ long }));
  app.get('/small', (_req, res) => void res.send('small'));
  app.get('/empty', (_req, res) => void res.status(204).end());
  app.get('/stream', (_req, res) => void Readable.from([long, long]).pipe(res.type('text')));
  app.get('/kept', (_req, res) => void res.set('Cache-Control', 'no-transform').send(long));
  app.get('/flushed', (_req, res) => {
    res.type('text').write(long);
    (res as Response & { flush(): void }).flush();
    res.end('end');
  });
  app.get('/throws', () => {
    throw Object.assign(new Error('no'), { stack: 'no' });
  });
  return createServer(app);
}

/** All that comes back for the questions, on one connection. */
async function heard(server: Server): Promise<string> {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  const client = await RawClient.open(port);
  for (const [method, path, headers = {}] of QUESTIONS) {
    await client.send(wire(method, path, { headers })).answer(method);
  }
  const bytes = await client.whole();
  server.close();
  return comparable(bytes, port);
}

describe.each(VERSIONS)('%s with compression', (_name, module) => {
  let runtime: Healing;
  afterEach(() => runtime.close());

  test.each(['before it', 'behind it'])(
    'healing %s: the same bytes, and each request booked',
    async (where) => {
      runtime = createHealing({ shared: false, clock: new SteadyClock() });
      const both = [healing(runtime) as RequestHandler, compression()];
      const bare = await heard(serving(module, [compression()]));
      expect(bare).toMatch(/content-encoding: gzip/i);
      expect(bare).toMatch(/content-encoding: br/i);
      expect(await heard(serving(module, where === 'before it' ? both : both.toReversed()))).toBe(bare);
      await expect
        .poll(() => {
          const targets = Object.values(runtime.status().targets);
          return {
            inFlight: targets.reduce((sum, { inFlight }) => sum + inFlight, 0),
            ended: targets.reduce((sum, { counts }) => sum + counts.success + counts.failure, 0),
            failed: runtime.target('route:GET /throws').status().counts.failure,
          };
        })
        .toEqual({ inFlight: 0, ended: QUESTIONS.length, failed: 1 });
    },
  );
});
