// What the tests need that no npm package brings: installed by apt-get where that is permitted.
import { spawnSync } from 'node:child_process';

const programs = [
  {
    packages: ['redis-server', 'redis-sentinel'],
    isThere: () =>
      version('redis-server', /v=(\d+)\./) >= 7 && spawnSync('redis-sentinel', ['--version']).status === 0,
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
export function missingPrograms() {
  const missing = programs.filter(({ isThere }) => !isThere());
  if (missing.length > 0) install(missing.flatMap(({ packages }) => packages));
  return missing.filter(({ isThere }) => !isThere());
}
