import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { switches } from './switches.ts';

const SOAK = fileURLToPath(new URL('soak.ts', import.meta.url));
const RUNS = '16';
/** A process and its runs, on a machine that is busy. */
const PATIENCE_MS = 180_000;

interface Ended {
  readonly code: number | string | null | undefined;
  readonly output: string;
}

// In a process of its own: the rule is taken out of the sources that it loads.
function soak(...args: string[]): Promise<Ended> {
  return new Promise((resolve) => {
    execFile(process.execPath, [SOAK, '--runs', RUNS, ...args], { maxBuffer: 1e8 }, (error, stdout, stderr) =>
      resolve({ code: error === null ? 0 : error.code, output: stdout + stderr }),
    );
  });
}

// That the same seeds pass with all rules is what the scenarios' own tests say.
test.each(switches)(
  'without $name',
  async ({ name, fails }) => {
    const { code, output } = await soak('--first', '--without', name, '--scenario', fails);
    expect(code, output).toBe(1);
    expect(output).toMatch(/^\d+ runs, 1 with violations/m);
    expect(output).not.toContain('the model failed');
  },
  PATIENCE_MS,
);

test('nothing is found where no rule is away', async () => {
  const { code, output } = await soak('--scenario', 'an upstream that fails and comes back');
  expect(code, output).toBe(0);
});
