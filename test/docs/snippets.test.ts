import { spawnSync } from 'node:child_process';
import { globSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, it } from 'vitest';
import { snippetsIn } from './snippets.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const FILES = ['*.md', 'docs/**/*.md', 'packages/*/README.md'].flatMap((glob) =>
  globSync(glob, { cwd: ROOT }),
);

it('finds blocks, and what is given to them', () => {
  const text =
    '# A\n\n<!-- given\nconst a = 1;\n-->\n```ts\nb(a);\n```\n\n```sh\nno\n```\n\n```ts\nc();\n```\n';
  expect(snippetsIn(text)).toEqual([
    { line: 3, code: 'const a = 1;\nb(a);\n\nexport {};\n' },
    { line: 14, code: 'c();\n\nexport {};\n' },
  ]);
});

it('every TypeScript block of the documentation compiles', { timeout: 120_000 }, () => {
  const cache = join(ROOT, 'node_modules/.cache');
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, 'healix-snippets-'));
  try {
    const files = FILES.flatMap((file) =>
      snippetsIn(readFileSync(join(ROOT, file), 'utf8')).map(({ line, code }) => {
        const name = `${file.replaceAll(/[/.]/g, '-')}-line-${line}.ts`;
        writeFileSync(join(folder, name), code);
        return name;
      }),
    );
    expect(files.length).toBeGreaterThan(10);
    writeFileSync(join(folder, 'package.json'), '{ "type": "module" }');
    const compilerOptions = { noEmit: true, noUnusedLocals: false, noUnusedParameters: false };
    const config = { extends: join(ROOT, 'tsconfig.base.json'), compilerOptions, files };
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify(config));

    const { stdout, stderr } = spawnSync(
      join(ROOT, 'node_modules/.bin/tsc'),
      ['-p', folder, '--pretty', 'false'],
      {
        encoding: 'utf8',
      },
    );
    expect(stdout.replaceAll(/^.*healix-snippets-\w+\//gm, '') + stderr).toBe('');
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
});

/** What a heading is linked by. */
function anchorOf(heading: string): string {
  return heading
    .toLowerCase()
    .replace(/[^\w\- ]/g, '')
    .replaceAll(' ', '-');
}

it('every link between the documents leads somewhere', () => {
  for (const file of FILES) {
    const text = readFileSync(join(ROOT, file), 'utf8');
    for (const [, target, anchor] of text.matchAll(/\]\((?!https?:)([^)#]*)#?([^)]*)\)/g)) {
      const path = target === '' ? join(ROOT, file) : join(ROOT, file, '..', target as string);
      expect(globSync(path), `${file} links to ${target}`).toHaveLength(1);
      if (anchor === '') continue;
      const headings = [...readFileSync(path, 'utf8').matchAll(/^#+ (.*)$/gm)];
      expect(headings.map(([, heading]) => anchorOf(heading as string))).toContain(anchor);
    }
  }
});
