import { execFile } from 'node:child_process';
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const ROOT = resolve(import.meta.dirname, '../..');

/** A package as a user gets it. */
export interface Archive {
  readonly name: string;
  readonly path: string;
  /** What is in it. */
  readonly files: readonly string[];
  /** What should be: what is built from the sources of today, and what npm and people read. */
  readonly wanted: readonly string[];
  /** What may be imported, `@healix/core/testing` say. */
  readonly entries: readonly string[];
}

interface Packed {
  readonly name: string;
  readonly filename: string;
  readonly files: readonly { readonly path: string }[];
}

/** Packs all packages into `folder`, as the README says. */
export async function pack(folder: string): Promise<Archive[]> {
  const { stdout } = await promisify(execFile)(
    'npm',
    ['pack', '--json', '--workspace', 'packages', '--pack-destination', folder],
    { cwd: ROOT },
  );
  return (JSON.parse(stdout) as Packed[]).map(({ name, filename, files }) => {
    const source = join(ROOT, 'packages', name.replace('@healix/', ''));
    const { exports } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { exports: object };
    return {
      name,
      path: join(folder, filename),
      files: files.map(({ path }) => path).sort(),
      wanted: ['LICENSE', 'README.md', 'package.json', ...builtFrom(join(source, 'src'))].sort(),
      entries: Object.keys(exports)
        .filter((path) => path !== './package.json')
        .map((path) => name + path.slice(1)),
    };
  });
}

function builtFrom(folder: string): string[] {
  const modules = globSync('**/*.ts', { cwd: folder })
    .filter((file) => !/\.test(-helper)?\.ts$/.test(file))
    .map((file) => `dist/${file.slice(0, -'.ts'.length)}`);
  const scripts = globSync('**/*.lua', { cwd: folder }).map((file) => `dist/${file}`);
  return [...modules.flatMap((module) => [`${module}.js`, `${module}.js.map`, `${module}.d.ts`]), ...scripts];
}
