import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { FaultyServer } from './faulty-server.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('./programs/unread-body.ts', import.meta.url));
const server = new FaultyServer();
beforeAll(() => server.listen());
afterAll(() => server.close());

it.each(['undici', 'undici7'])('a body that nobody reads does not keep the process, %s', async (undici) => {
  const url = `${server.origin}/big?size=5000000`;
  // undici itself would let the body stand still for five minutes.
  const { stdout } = await run(process.execPath, ['--no-warnings', program, undici, url], {
    timeout: 30_000,
  });
  expect(JSON.parse(stdout)).toEqual({ unread: 2, inFlight: 2 });
});
