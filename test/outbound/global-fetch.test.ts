import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./programs/global-fetch.ts', import.meta.url));
const node22 = fileURLToPath(new URL('../node_modules/node/bin/node', import.meta.url));

const expected = {
  good: '200 GET ',
  repeated: '200 GET ',
  redirected: '200 GET ',
  hinted: '200 hinted',
  posted: '200 POST text',
  form: true,
  cookies: ['a=1', 'b=2'],
  aborted: 'AbortError undefined',
  hung: 'TypeError HEALIX_DEADLINE',
  broken: 'TypeError undefined',
  retries: 5,
  refused: 'TypeError HEALIX_CIRCUIT_OPEN',
};

describe('the global fetch, under setGlobalDispatcher', () => {
  it.for<[string, string]>([
    ['this Node', 'undici'],
    ['this Node', 'undici7'],
    ['Node 22', 'undici'],
    ['Node 22', 'undici7'],
  ])('%s, %s', async ([which, undici], { skip }) => {
    skip(which === 'Node 22' && !existsSync(node22), 'Node 22 of test/package.json is not installed');
    const node = which === 'Node 22' ? node22 : process.execPath;
    const { stdout } = await run(node, ['--no-warnings', program, undici], { timeout: 30_000 });
    expect(JSON.parse(stdout)).toEqual({ builtIn: expected, own: expected });
  });
});
