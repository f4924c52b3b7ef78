import { existsSync, mkdtempSync } from 'node:fs';
import { rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Archive, pack } from './archives.ts';
import { NEWEST, OLDEST } from './majors.ts';
import { type Modules, Project, type Resolution } from './project.ts';

const FOLDER = mkdtempSync(join(tmpdir(), 'healix-consumption-'));
const newest = new Project(join(FOLDER, 'newest'), NEWEST);
const oldest = new Project(join(FOLDER, 'oldest'), OLDEST);

const NODENEXT: { resolution: Resolution } = { resolution: 'nodenext' };
const BUNDLER: { resolution: Resolution } = { resolution: 'bundler' };

const PROJECTS = [
  {
    majors: 'Express 5, Fastify 5, Koa 3, undici 8',
    project: newest,
    compilations: [
      { by: 'TypeScript 5', compiler: oldest, ...NODENEXT },
      { by: 'TypeScript 7', compiler: newest, ...BUNDLER },
      { by: 'TypeScript 7', compiler: newest, ...NODENEXT },
    ],
  },
  {
    majors: 'Express 4, Fastify 5.0, Koa 2, undici 7',
    project: oldest,
    compilations: [
      { by: 'TypeScript 7', compiler: newest, ...NODENEXT },
      { by: 'TypeScript 5', compiler: oldest, ...BUNDLER },
      { by: 'TypeScript 5', compiler: oldest, ...NODENEXT },
    ],
  },
];

/**
 * What is wrong with the types of others, all of which `skipLibCheck: false` checks: @types/koa imports
 * @types/content-disposition, and finds the types of Express 5's own content-disposition where both are installed.
 */
const THEIRS = /^node_modules\/@types\/koa\/.*content-disposition.* has no exported member 'Options'/;

const BY_IMPORT: { way: string; modules: Modules } = { way: 'import', modules: 'mjs' };
const BY_REQUIRE: { way: string; modules: Modules } = { way: 'require', modules: 'cjs' };
const NODES = [
  { on: `Node.js ${process.versions.node}`, node: process.execPath, ways: [BY_IMPORT, BY_REQUIRE] },
  {
    on: 'the oldest Node.js',
    node: join(import.meta.dirname, '../node_modules/node/bin/node'),
    // On that one the other tests import.
    ways: [BY_REQUIRE],
  },
].filter(({ node }) => existsSync(node));

/** What each program prints. */
const SERVED = { answer: { id: '7', late: false }, refused: 503, health: 200, success: 1 };
const PROGRAMS = {
  core: { answer: 42, success: 1, fallback: 'later', state: 'closed', routes: 'function' },
  express: SERVED,
  fastify: SERVED,
  koa: SERVED,
  undici: { answers: ['users', 'users', 'users'], refused: true, success: 3, retries: 3 },
};

let archives: Archive[];

beforeAll(async () => {
  archives = await pack(FOLDER);
  await Promise.all(
    PROJECTS.map(async ({ project }) => {
      await project.install(archives);
      project.addPrograms(join(import.meta.dirname, 'programs'), Object.keys(PROGRAMS));
    }),
  );
}, 180_000);

afterAll(() => rm(FOLDER, { recursive: true, force: true }), 60_000);

it('the archives hold what is built from the sources, and nothing else', () => {
  expect(archives).toHaveLength(5);
  for (const { name, files, wanted } of archives) {
    expect({ name, files }).toEqual({ name, files: wanted });
  }
});

it.each(NODES)('each entry gives the same to require and to import: $on', async ({ node }) => {
  const entries = archives.flatMap((archive) => archive.entries);
  expect(entries).toContain('@healix/core/testing');
  const code = `
    Promise.all(${JSON.stringify(entries)}.map(async (entry) => {
      const [required, imported] = [require(entry), await import(entry)];
      const names = Object.keys(imported);
      return { entry, alike: names.length > 0 && names.every((name) => required[name] === imported[name]) };
    })).then((found) => console.log(JSON.stringify(found)));`;
  expect(await newest.evaluate(node, code)).toEqual(entries.map((entry) => ({ entry, alike: true })));
});

describe.each(PROJECTS)('$majors', ({ project, compilations }) => {
  it('are there once, and so are the packages', () => {
    const installed = project.installed();
    for (const name of [...project.frameworks, ...archives.map((archive) => archive.name)]) {
      const copies = installed.filter((path) => path.endsWith(`node_modules/${name}`));
      expect(copies).toEqual([`node_modules/${name}`]);
    }
  });

  it.each(compilations)(
    'compile with strict settings: $by, $resolution',
    async ({ compiler, resolution }) => {
      const lines = await project.compile(compiler, resolution);
      expect(lines.filter((line) => !THEIRS.test(line))).toEqual([]);
    },
    120_000,
  );

  describe.each(NODES)('$on', ({ node, ways }) => {
    describe.each(ways)('by $way', ({ modules }) => {
      it.each(Object.entries(PROGRAMS))('%s heals', async (name, printed) => {
        expect(await project.run(node, name, modules)).toEqual(printed);
      });
    });
  });
});
