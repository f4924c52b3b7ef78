import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { kindOf, NamePattern } from './target-name.ts';

describe('a glob', () => {
  test.each<[string, string[], string[]]>([
    ['route:GET /users', ['route:GET /users'], ['route:GET /users/', 'route:GET /user', 'xroute:GET /users']],
    [
      'route:GET /users/*',
      ['route:GET /users/:id', 'route:GET /users/'],
      ['route:GET /users/:id/x', 'route:GET /users'],
    ],
    [
      'route:* /health/**',
      ['route:GET /health/live', 'route:HEAD /health/a/b'],
      ['route:GET /healthy', 'route:GET /health'],
    ],
    ['route:GET /*/edit', ['route:GET /users/edit'], ['route:GET /users/1/edit']],
    ['route:GET /**/edit', ['route:GET /users/edit', 'route:GET /users/1/edit'], ['route:GET /edit']],
    [
      'upstream:https://*.example.com',
      ['upstream:https://api.example.com'],
      ['upstream:https://a/b.example.com', 'upstream:https://apixexample.com'],
    ],
    ['upstream:**', ['upstream:https://a.b/c', 'upstream:users'], ['route:GET /upstream:']],
    ['**', ['route:GET /', 'upstream:x', ''], []],
    ['', [''], ['x']],
  ])('%s', (glob, matching, others) => {
    const pattern = new NamePattern(glob);
    for (const name of matching) expect([name, pattern.matches(name)]).toEqual([name, true]);
    for (const name of others) expect([name, pattern.matches(name)]).toEqual([name, false]);
  });

  test('every other character stands for itself', () => {
    fc.assert(
      fc.property(
        fc.string({ unit: fc.constantFrom(...'.+?()[]{}|^$\\/-:a \n#&') }),
        fc.string(),
        (name, other) => {
          const literal = new NamePattern(name);
          expect(literal.matches(name)).toBe(true);
          if (other !== name) expect(literal.matches(other)).toBe(false);
          expect(new NamePattern(`${name}*`).matches(`${name}x.y`)).toBe(true);
          expect(new NamePattern(`**${name}**`).matches(`a/b${name}\n/c`)).toBe(true);
        },
      ),
      { numRuns: 300 },
    );
  });

  test('agrees with a matcher that tries every way', () => {
    const matches = (glob: string, name: string): boolean => {
      if (glob === '') return name === '';
      if (!glob.startsWith('*'))
        return glob[0] === name[0] && name !== '' && matches(glob.slice(1), name.slice(1));
      const across = glob.startsWith('**');
      const rest = glob.slice(across ? 2 : 1);
      for (let taken = 0; taken <= name.length; taken++) {
        if (!across && name.slice(0, taken).includes('/')) return false;
        if (matches(rest, name.slice(taken))) return true;
      }
      return false;
    };
    const glob = fc
      .array(fc.constantFrom('a', 'b', '/', '*', '**'), { maxLength: 8 })
      .map((parts) => parts.join('').replace(/\*{3,}/g, '**'));
    const name = fc.string({ unit: fc.constantFrom('a', 'b', '/'), maxLength: 8 });
    fc.assert(
      fc.property(glob, name, (glob, name) => {
        expect(new NamePattern(glob).matches(name)).toBe(matches(glob, name));
      }),
      { numRuns: 1_000 },
    );
  });
});

describe('specificity', () => {
  const sorted = (globs: string[]) =>
    globs
      .map((glob) => new NamePattern(glob))
      .sort(NamePattern.compare)
      .map(({ glob }) => glob);

  test('the longest literal start is the strongest, then a named method, then `*` before `**`', () => {
    const ascending = [
      '**',
      'route:**',
      'route:* /**',
      'route:GET /**',
      'route:* /users/**',
      'route:* /users/*',
      'route:GET /users/**',
      'route:* /users/:id/**',
      'route:GET /users/:id/posts',
    ];
    expect(sorted(ascending)).toEqual(ascending);
    expect(sorted([...ascending].reverse()).slice(2)).toEqual(ascending.slice(2));
  });

  test('among equals the order given stands', () => {
    const equals = ['route:* /a/**', 'route:* /a/**/b', 'route:* /a/**/c'];
    expect(sorted(equals)).toEqual(equals);
    expect(sorted([...equals].reverse())).toEqual([...equals].reverse());
  });

  test('a pattern over all routes is weaker than one over a path of them', () => {
    for (const path of ['/', '/a', '/api/**', '/*']) {
      const [all, some] = [new NamePattern('route:**'), new NamePattern(`route:* ${path}`)];
      expect(NamePattern.compare(all, some)).toBeLessThan(0);
    }
  });
});

test.each([
  ['route:GET /', 'route'],
  ['route:unmatched', 'route'],
  ['upstream:https://a', 'upstream'],
  ['router', 'upstream'],
])('%s is a %s', (name, kind) => {
  expect(kindOf(name)).toBe(kind);
});
