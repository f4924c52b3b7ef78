// Runs every check but the tests, all of them even when one fails, and says which did.
import { spawnSync } from 'node:child_process';

const checks = [
  'lint',
  'types',
  'check:imports',
  'check:unused',
  'check:packages',
  'api:check',
  'settings:check',
];

const failed = checks.filter((name) => {
  console.log(`\n== npm run ${name}`);
  return (
    spawnSync('npm', ['run', '--silent', name], { stdio: ['ignore', 'inherit', 'inherit'] }).status !== 0
  );
});

console.log(
  failed.length === 0
    ? `\nchecks: all ${checks.length} passed`
    : `\nchecks: ${failed.length} of ${checks.length} failed: ${failed.join(', ')}`,
);
process.exitCode = failed.length === 0 ? 0 : 1;
