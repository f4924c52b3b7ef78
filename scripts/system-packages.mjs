// What the tests, and the fleet's demo, need that no npm package brings: installed by apt-get where that is permitted.
import { spawnSync } from 'node:child_process';

const hasRedis = () => version('redis-server', /v=(\d+)\./) >= 7;

const forTests = [
  {
    packages: ['redis-server', 'redis-sentinel'],
    isThere: () => hasRedis() && spawnSync('redis-sentinel', ['--version']).status === 0,
    without:
      'Install Redis 7 or newer for the fleet\'s tests: "sudo apt-get install redis-server redis-sentinel" on Debian and Ubuntu, "brew install redis" on macOS.',
    isOptional: false,
  },
  {
    packages: ['python3'],
    isThere: () => version('python3', /^Python 3\.(\d+)/) >= 8,
    without:
      "The tests of the fleet's protocol in another language are left out: install Python 3.8 or newer for them.",
    isOptional: true,
  },
];

const forDemo = [
  {
    packages: ['redis-server'],
    isThere: hasRedis,
    without:
      'Install Redis 7 or newer: "sudo apt-get install redis-server" on Debian and Ubuntu, "brew install redis" on macOS.',
    isOptional: false,
  },
];

/** What the program says of its version; NaN where there is no such program. */
function version(program, pattern) {
  const { stdout } = spawnSync(program, ['--version'], { encoding: 'utf8' });
  return Number(pattern.exec(stdout ?? '')?.[1]);
}

/** As root, where there is apt-get; else nothing happens. */
function install(packages) {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) return;
  console.log(`installing ${packages.join(', ')} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Its service is not wanted: tests start servers of their own.
  const options = ['-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120', '-qq'];
  const stdio = ['ignore', 'ignore', 'inherit'];
  spawnSync('apt-get', [...options, 'update'], { env, stdio });
  const args = [...options, 'install', '-y', '--no-install-recommends', ...packages];
  spawnSync('apt-get', args, { env, stdio });
}

/** `{ without, isOptional }` of each program that is missing and cannot be installed from here. */
function missing(programs) {
  const lacking = programs.filter(({ isThere }) => !isThere());
  if (lacking.length > 0) install(lacking.flatMap(({ packages }) => packages));
  return lacking.filter(({ isThere }) => !isThere());
}

export const missingForTests = () => missing(forTests);
export const missingForDemo = () => missing(forDemo);
