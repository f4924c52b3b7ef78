import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { EVENT_NAMES } from '../../packages/core/src/telemetry/events.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const page = readFileSync(`${root}docs/on-call.md`, 'utf8');
const source = (path: string) => readFileSync(root + path, 'utf8');
const sources = globSync('packages/*/src/**/*.ts', { cwd: root }).filter(
  (path) => !path.endsWith('.test.ts'),
);

/** What `pattern` captures, wherever it is found. */
function allOf(pattern: RegExp, texts: readonly string[]): string[] {
  return texts.flatMap((text) => [...text.matchAll(pattern)].map(([, found]) => found as string));
}

/** The texts of a union of texts, such as `'a' | 'b'`. */
function unionAfter(start: string, path: string): string[] {
  const union = source(path).split(start)[1]?.split(';')[0] ?? '';
  return allOf(/'([\w-]+)'/g, [union]);
}

function saysAll(names: readonly string[], least: number): void {
  expect(names.length).toBeGreaterThanOrEqual(least);
  expect(names.filter((name) => !page.includes(`\`${name}\``))).toEqual([]);
}

test('the on-call page has every event', () => {
  saysAll([...EVENT_NAMES.filter((name) => name !== 'incident' && name !== 'recovered')], 4);
  for (const name of ['## Incidents', '`recovered`, also an event']) expect(page).toContain(name);
});

test('the on-call page has every reason of a transition', () => {
  const circuit = sources.filter((path) => /core\/src\/(circuit|fleet)\//.test(path)).map(source);
  const rules = sources.filter((path) => path.includes('/trip-rules/')).map(source);
  const entered = allOf(/[#.]enter(?:Open|Closed)?\([^)]*?'([a-z]+(?:-[a-z]+)*)'/g, circuit);
  const states = new Set(['open', 'closed', 'half-open']);
  saysAll(allOf(/name: '([\w-]+)'/g, rules), 3);
  saysAll([...entered.filter((name) => !states.has(name)), ...allOf(/'(fleet-\w+)'/g, circuit)], 6);
});

test("the on-call page has every line of an incident's story", () => {
  saysAll(unionAfter('readonly what:', 'packages/core/src/telemetry/incidents.ts'), 9);
});

test('the on-call page has every state of the store', () => {
  saysAll(unionAfter('readonly state:', 'packages/core/src/store/insured-store.ts'), 3);
});

test('the on-call page has every process warning', () => {
  const told = sources.map(source).filter((text) => text.includes('emitWarning'));
  saysAll(allOf(/code: '(HEALIX_\w+)'/g, told), 2);
});
