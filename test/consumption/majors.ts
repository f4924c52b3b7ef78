import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';

type Dependencies = Record<string, string>;

const TEST = resolve(import.meta.dirname, '..');
/** The versions that the other tests use. */
const versions: Dependencies = {
  ...(read('../package.json').devDependencies as Dependencies),
  ...(read('package.json').dependencies as Dependencies),
};

/** Of each framework the newest major that is supported, and the newest TypeScript. */
export const NEWEST: Dependencies = {
  ...of('express', 'fastify', 'koa', '@koa/router', 'undici'),
  ...of('@types/express', '@types/koa', '@types/node', 'typescript'),
};

/** Of each framework the oldest major that is supported, and the TypeScript before the newest major. */
export const OLDEST: Dependencies = {
  express: version('express4'),
  fastify: '5.0.0',
  koa: version('koa2'),
  '@koa/router': version('koa2-router'),
  undici: version('undici7'),
  '@types/express': version('@types/express4'),
  '@types/koa': '2.15.2',
  '@types/koa__router': '12.0.5',
  '@types/node': '22.19.0',
  typescript: '5.9.3',
};

function read(file: string): Record<string, unknown> {
  return JSON.parse(readFileSync(resolve(TEST, file), 'utf8'));
}

/** What a package, or the one behind an alias, is pinned to. */
function version(name: string): string {
  return (versions[name] as string).replace(/^npm:.*@/, '');
}

function of(...names: string[]): Dependencies {
  return Object.fromEntries(names.map((name) => [name, version(name)]));
}
