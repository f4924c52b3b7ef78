import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./programs/global-fetch.ts', import.meta.url));

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
  let node22 = '';
  beforeAll(async () => {
    const { stdout } = await run('npx', ['-y', 'node@22', '-p', 'process.execPath']);
    node22 = stdout.trim();
  }, 120_000);

  it.each([
    ['this Node', 'undici'],
    ['this Node', 'undici7'],
    ['Node 22', 'undici'],
    ['Node 22', 'undici7'],
  ])(
    '%s, %s',
    async (which, undici) => {
      const node = which === 'Node 22' ? node22 : process.execPath;
      const { stdout } = await run(node, ['--no-warnings', program, undici], { timeout: 30_000 });
      expect(JSON.parse(stdout)).toEqual({ builtIn: expected, own: expected });
    },
    60_000,
  );
});
