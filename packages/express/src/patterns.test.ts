import type { RequestHandler } from 'express';
import express from 'express';
import { expect, test } from 'vitest';
import type { App, Layer } from './express.ts';
import { stackOf } from './layers.ts';
import { joined, patternOf } from './patterns.ts';

const handler: RequestHandler = (_req, res) => void res.end();

function layerAt(path: string | RegExp | (string | RegExp)[]): Layer {
  const app = express();
  app.use(path, handler);
  return stackOf(app as unknown as App).at(-1) as Layer;
}

/** As router 2.0 to 2.2 have it: nothing is kept of what was declared. */
function olderLayerAt(path: string | RegExp | (string | RegExp)[]): Layer {
  const { rawPath, ...older } = layerAt(path) as Layer & Record<string, unknown>;
  expect(rawPath).toBeDefined();
  return older as Layer;
}

test.each([
  ['/orgs/:org', '/orgs/orgs/x', '/orgs/:org'],
  ['/:a/:b', '/a/b', '/:a/:b'],
  ['/api/', '/api/x', '/api'],
  ['/', '/x', ''],
])('%s', (declared, path, pattern) => {
  expect(patternOf(layerAt(declared), path)).toBe(pattern);
  expect(patternOf(olderLayerAt(declared), path)).toBe(pattern);
});

test('one of a list', () => {
  for (const layer of [layerAt(['/one', '/two/:x']), olderLayerAt(['/one', '/two/:x'])]) {
    expect(patternOf(layer, '/two/one')).toBe('/two/:x');
    expect(patternOf(layer, '/one/y')).toBe('/one');
    expect(patternOf(layer, '/ONE/y')).toMatch(/^\/one$/);
  }
});

test('a wildcard of any length is one, and a regular expression is itself', () => {
  expect(patternOf(olderLayerAt('/files/*path'), '/files/a/b/c')).toBe('/files/*path');
  expect(patternOf(layerAt(/^\/v\d+/), '/v1/x')).toBe('/^\\/v\\d+/');
});

test.each([
  ['/v-:x', '/v-secret', '/*'],
  ['/a/:x-:y/b', '/a/1-2/b', '/a/*/b'],
  [/^\/files\/[s-z]+/, '/files/stuv', '/files/*'],
  [/^\/files\/[0-9a-f]{4}/, '/files/0fa9', '/files/*'],
  ['/v1.0_x', '/V1.0_x', '/V1.0_x'],
])(
  '%s, where nothing is kept of it: only what is certain to have been declared',
  (declared, path, pattern) => {
    expect(patternOf(olderLayerAt(declared), path)).toBe(pattern);
    expect(patternOf(olderLayerAt([declared, '/other']), path)).toBe(pattern);
  },
);

test('joined to what is mounted there', () => {
  expect(joined('/api', '/')).toBe('/api');
  expect(joined('', '/')).toBe('/');
  expect(joined('/api', '/x')).toBe('/api/x');
});
