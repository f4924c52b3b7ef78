import { afterEach, expect, test } from 'vitest';
import { createHealing } from '../shared-runtime.ts';
import { nameByUser, readAdapterOptions, readRouteOptions } from './options.ts';

const runtime = createHealing({ shared: false });
afterEach(() => runtime.close());

test('a runtime alone, or options', () => {
  expect(readAdapterOptions(runtime)).toMatchObject({ runtime, defaults: undefined });
  expect(readAdapterOptions({ runtime, deadlineMs: 5 })).toMatchObject({ defaults: { deadlineMs: 5 } });
});

test.each([
  [{ deadlinMs: 5 }, 'deadlinMs'],
  [{ deadlineMs: '5' }, 'deadlineMs'],
  [{ maxNames: 0 }, 'maxNames'],
  [{ runtime: {} }, 'runtime'],
  [{ name: 'x' }, 'name'],
  [{ circuit: { openMs: -1 } }, 'circuit.openMs'],
])('a wrong option is named: %o', (options, path) => {
  expect(() => readAdapterOptions(options as never)).toThrow(
    expect.objectContaining({ code: 'HEALIX_CONFIG', path }),
  );
});

test('a wrong setting of a route names the route', () => {
  expect(() => readRouteOptions({ deadlineMs: 0 }, '/a')).toThrow(/^\/a: healing\.deadlineMs/);
  expect(() => readRouteOptions(7, '/a')).toThrow(/an object/);
});

test('a name by the user; one that throws is told of', () => {
  const named = (name: () => string | undefined) => nameByUser(readAdapterOptions({ runtime, name }), {});
  expect(named(() => 'POST /graphql op')).toBe('route:POST /graphql op');
  expect(named(() => 'route:x')).toBe('route:x');
  expect(named(() => undefined)).toBeUndefined();
  const throws = () => {
    throw new Error('no');
  };
  expect(named(throws)).toBeUndefined();
  for (const wrong of ['', 'route:', null, 42, {}]) expect(named(() => wrong as never)).toBeUndefined();
  expect(runtime.status().callbackErrors).toMatchObject([{ callback: 'name', count: 6 }]);
  expect(named(() => 'x'.repeat(201))).toBe('route:other');
});
