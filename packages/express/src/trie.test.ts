import { describe, expect, test } from 'vitest';
import { overlap, Trie } from './trie.ts';

function trieOf(...patterns: string[]): (path: string, method?: string) => string | undefined {
  const trie = new Trie<{ pattern: string }>();
  for (const pattern of patterns) trie.add(pattern, 'GET', { pattern });
  return (path, method = 'GET') => trie.find(path, method)?.pattern;
}

describe('finds', () => {
  test('literals before parameters, and goes back where they lead nowhere', () => {
    const find = trieOf('/users/:id', '/users/me', '/users/me/x', '/users/:id/y', '/');
    expect(find('/users/1')).toBe('/users/:id');
    expect(find('/users/me')).toBe('/users/me');
    expect(find('/users/me/y')).toBe('/users/:id/y');
    expect(find('/users/me/z')).toBeUndefined();
    expect(find('/')).toBe('/');
    expect(find('/users')).toBeUndefined();
  });

  test('whatever the capitals, with a slash at the end, but no empty segment', () => {
    const find = trieOf('/Users/:id/items');
    expect(find('/uSERS/A/ITEMS/')).toBe('/Users/:id/items');
    expect(find('/users//items')).toBeUndefined();
    expect(find('//users/1/items')).toBeUndefined();
  });

  test('by method', () => {
    expect(trieOf('/a')('/a', 'POST')).toBeUndefined();
  });

  test('nothing for names that objects have', () => {
    const find = trieOf('/a/:id');
    for (const path of ['/__proto__', '/constructor/a', '/a/b/__proto__']) expect(find(path)).toBeUndefined();
    expect(find('/a/__proto__')).toBe('/a/:id');
  });
});

test('holds nothing but whole segments', () => {
  const trie = new Trie<object>();
  for (const pattern of ['/a/*rest', '/a{/:b}', '/:a-:b', '/:a?', '/a*', '/^\\/x/', 'a', '/:a.json', '*']) {
    expect(trie.add(pattern, 'GET', {})).toBeUndefined();
  }
  for (const pattern of ['', '/', '/a/', '/a.b/:c', '/:id(\\d+)']) {
    expect(trie.add(pattern, 'GET', {})).toBeDefined();
  }
});

test('of two with one shape the first stays', () => {
  const trie = new Trie<{ name: string }>();
  const first = { name: 'first' };
  expect(trie.add('/a/:b', 'GET', first)).toBe(first);
  expect(trie.add('/A/:c', 'GET', { name: 'second' })).toBe(first);
});

test.each([
  ['/a/:b', '/a/c', true],
  ['/a/:b', '/:c/d', true],
  ['/A/b', '/a/B/', true],
  ['/a/b', '/a/c', false],
  ['/a', '/a/b', false],
  ['/a/*rest', '/b', true],
])('%s and %s: a path may fit both: %s', (one, other, expected) => {
  expect(overlap(one, other, false)).toBe(expected);
  expect(overlap(other, one, false)).toBe(expected);
});

test('a prefix fits what begins with it', () => {
  expect(overlap('/a', '/:b/c', true)).toBe(true);
  expect(overlap('/a/b/c', '/:b/c', true)).toBe(false);
  expect(overlap('/a', '/b/c', true)).toBe(false);
});
