// Packs every package as a user would receive it, and checks the archive with publint (package.json against
// the files) and are-the-types-wrong (the types that each way of importing finds).
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { publicPackages } from './packages.mjs';

const temporary = mkdtempSync(join(tmpdir(), 'healix-packages-'));
let wrong = 0;

function run(command, args, options) {
  return spawnSync(command, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'], ...options });
}

try {
  for (const { name, folder, entries } of publicPackages()) {
    const packed = run('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', temporary], {
      cwd: folder,
    });
    if (packed.status !== 0) throw new Error(`npm pack of ${name} failed:\n${packed.stderr}`);
    const [{ filename, files }] = JSON.parse(packed.stdout);
    const tarball = join(temporary, filename);
    const problems = [];

    const { messages, pkg } = await publint({
      pack: { tarball: new Uint8Array(readFileSync(tarball)).buffer },
      strict: true,
    });
    problems.push(...messages.map((message) => `publint: ${formatMessage(message, pkg, { color: false })}`));

    const types = run('attw', [tarball, '--profile', 'esm-only', '--no-emoji', '--no-color']);
    if (types.status !== 0) problems.push(`are-the-types-wrong:\n${types.stdout}${types.stderr}`);

    const inside = new Set(files.map(({ path }) => path));
    const foreign = [...inside].filter((path) => !/^(dist\/|package\.json$|README\.md$|LICENSE$)/.test(path));
    const tests = [...inside].filter((path) => /\.test\.|\.tsbuildinfo$/.test(path));
    problems.push(...[...foreign, ...tests].map((path) => `packed, though no user needs it: ${path}`));
    for (const needed of ['LICENSE']) if (!inside.has(needed)) problems.push(`not packed: ${needed}`);

    for (const problem of problems) console.error(`${name}: ${problem}`);
    wrong += problems.length;
    console.log(
      `${name}: ${entries.length} entries, ${inside.size} files packed, ${problems.length} problems`,
    );
  }
} finally {
  rmSync(temporary, { recursive: true, force: true });
}
process.exitCode = wrong > 0 ? 1 : 0;
