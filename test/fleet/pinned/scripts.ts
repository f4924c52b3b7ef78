import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

/** The texts of a folder's scripts, and their version, as `scripts/lua.mjs` has them. */
export function readScripts(folder: string): { version: string; scripts: Record<string, string> } {
  const read = (name: string) => readFileSync(join(folder, `${name}.lua`), 'utf8');
  const code = (name: string) => read(name).replace(/^\s*(--.*)?\n/gm, '');
  const names = globSync('*.lua', { cwd: folder }).map((file) => basename(file, '.lua'));
  const scripts = Object.fromEntries(
    names
      .filter((name) => name !== 'record')
      .sort()
      .map((name) => [name, (name === 'primary' ? '' : code('record')) + code(name)]),
  );
  return { version: /version: (\d+)/.exec(read('record'))?.[1] as string, scripts };
}

export function digestsOf(scripts: Record<string, string>): Record<string, string> {
  const digest = (text: string) => createHash('sha1').update(text).digest('hex');
  return Object.fromEntries(Object.entries(scripts).map(([name, text]) => [name, digest(text)]));
}
