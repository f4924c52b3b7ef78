import { expect, test } from 'vitest';
import { Routes, routeName } from './routes.ts';

test('HEAD shares the target of GET', () => {
  expect(routeName('HEAD', '/a/:id')).toBe('route:GET /a/:id');
  expect(routeName('POST', '/a')).toBe('route:POST /a');
  expect(routeName('*', '/files')).toBe('route:* /files');
});

test('a route for all methods has one name', () => {
  expect(routeName('PUT', '/a', 7)).toBe('route:PUT /a');
  expect(routeName('PUT', '/a', 8)).toBe('route:* /a');
});

test('names are bounded; those that had one keep it', () => {
  const routes = new Routes({ maxNames: 2, defaults: { deadlineMs: 5 } });
  const first = routes.get('route:GET /1', { timeoutMs: 7 });
  routes.get('route:GET /2');
  const third = routes.get('route:GET /3', { timeoutMs: 9 });
  expect(third).toMatchObject({ name: 'route:other', options: { deadlineMs: 5 } });
  expect(routes.isCatchAll(third)).toBe(true);
  expect(routes.get('route:GET /1')).toBe(first);
  expect(first.options).toEqual({ deadlineMs: 5, timeoutMs: 7 });
});

test('the circuit of what no route takes never opens', () => {
  const { unmatched } = new Routes({ defaults: { policy: { concurrency: 9 } } });
  expect(unmatched).toEqual({
    name: 'route:unmatched',
    options: { policy: { concurrency: 9, neverOpen: true } },
  });
});

test('a name of its own takes a request out of those that no route takes', () => {
  const routes = new Routes({ defaults: { deadlineMs: 5 } });
  expect(routes.get('route:graphql op', routes.unmatched.options)).toEqual({
    name: 'route:graphql op',
    options: { deadlineMs: 5 },
    origin: undefined,
  });
  expect(routes.isCatchAll(routes.get('route:other'))).toBe(true);
});
