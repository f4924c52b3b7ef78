// Writes the Redis scripts of a folder into its scripts.ts: record.lua before each of the others but primary.lua.
// Comment lines stay behind. The version in record.lua's first line becomes a part of the keys. The sources go to the
// second folder as they are: clients in other languages read them there (docs/protocol.md).
import { copyFileSync, globSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';

const [folder, published] = process.argv.slice(2);
const source = (name) => readFileSync(join(folder, `${name}.lua`), 'utf8');
const code = (name) => source(name).replace(/^\s*(--.*)?\n/gm, '');

const record = source('record');
const names = globSync('*.lua', { cwd: folder }).map((file) => basename(file, '.lua'));
const scripts = names
  .filter((name) => name !== 'record')
  .sort()
  .map((name) => `  ${name}: ${JSON.stringify((name === 'primary' ? '' : code('record')) + code(name))},\n`);

writeFileSync(
  join(folder, 'scripts.ts'),
  `// Generated from *.lua by scripts/lua.mjs.
/** Of the keys and what they hold: scripts of different versions share nothing. */
export const version = ${Number(/version: (\d+)/.exec(record)[1])};

export const scripts = {
${scripts.join('')}} as const;
`,
);

mkdirSync(published, { recursive: true });
for (const name of names) copyFileSync(join(folder, `${name}.lua`), join(published, `${name}.lua`));
