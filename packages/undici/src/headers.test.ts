import { expect, it } from 'vitest';
import { findHeader } from './headers.ts';

it.each([
  [{ Host: 'a' }],
  [{ x: '1', host: ['a', 'b'] }],
  [['x', '1', 'HOST', 'a']],
  [
    [
      ['x', '1'],
      ['host', 'a'],
    ],
  ],
  [new Map([['hOst', 'a']])],
  [new Headers({ host: 'a' })],
])('finds a header in %o', (headers) => {
  expect(findHeader(headers, 'host')).toBe('a');
});

it.each([[undefined], [null], ['host'], [{}], [[]], [['host']], [{ host: undefined }], [{ hostage: 'a' }]])(
  'finds none in %o',
  (headers) => {
    expect(findHeader(headers, 'host')).toBeUndefined();
  },
);
