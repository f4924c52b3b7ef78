import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const PATIENCE_MS = 120_000;
/** What stands above each table. */
const TITLES = [
  'What a replica costs Redis',
  'Time of one call of a script in Redis',
  'How soon the last replica knows',
  'CPU time of a healthy call, by where circuits are shared',
  'Telling many replicas',
  'The 99th percentile of calls while Redis is away',
];

test(
  'the benchmark of the fleet runs, and prints a table for each part',
  async () => {
    const main = new URL('./main.ts', import.meta.url).pathname;
    const { stdout } = await promisify(execFile)(process.execPath, [main, '--quick'], {
      timeout: PATIENCE_MS,
    });
    const lines = stdout.split('\n');
    for (const title of TITLES) {
      const table = lines.slice(lines.indexOf(title));
      const rows = table.slice(table.findIndex((line) => /^ +-+ +-+/.test(line)) + 1);
      expect(lines).toContain(title);
      expect(rows[0]).toMatch(/ [\d.,-]+ +[\d.,-]+ \.\. [\d.,-]+ /);
    }
  },
  PATIENCE_MS,
);
