// Runs the tests, every run even when one fails, and says how many passed. With --full, those too that take long.
import { spawnSync } from 'node:child_process';
import { rmSync } from 'node:fs';
import { delimiter, dirname, resolve } from 'node:path';
import { isLeftOut, testRuns } from './test-runs.mjs';
import { printSummary } from './test-summary.mjs';

function run(command, args, options) {
  return spawnSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
}

for (const { title, node, args, report } of testRuns) {
  rmSync(report, { force: true });
  console.log(`\n== ${title}`);
  if (isLeftOut({ node })) {
    console.log(`left out: ${node} is not installed`);
    continue;
  }
  const PATH = [dirname(resolve(node)), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH };
  const vitest = ['node_modules/vitest/vitest.mjs', 'run', ...args, `--outputFile.json=${report}`];
  const { status, error } = run(node, vitest, { env });
  if (error) console.error(error.message);
  if (status !== 0) process.exitCode = 1;
}
console.log();
printSummary();
