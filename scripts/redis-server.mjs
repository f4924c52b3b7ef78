// The fleet's tests need a real Redis server, which no npm package brings: it is installed where that is permitted.
import { spawnSync } from 'node:child_process';

const OLDEST = 7;
const PACKAGES = ['redis-server', 'redis-sentinel'];

/** The major version of the Redis server on the path; undefined where there is none. */
function installedVersion() {
  const { stdout } = spawnSync('redis-server', ['--version'], { encoding: 'utf8' });
  const version = /v=(\d+)\./.exec(stdout ?? '')?.[1];
  return version === undefined ? undefined : Number(version);
}

function isThere() {
  const sentinel = spawnSync('redis-sentinel', ['--version'], { encoding: 'utf8' });
  return (installedVersion() ?? 0) >= OLDEST && sentinel.status === 0;
}

/** Installs it by apt-get, as root. False where that is not possible. */
function install() {
  if (process.getuid?.() !== 0 || spawnSync('apt-get', ['--version']).error) return false;
  console.log(`installing ${PACKAGES.join(' and ')} ...`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  // Its service is not wanted: tests start servers of their own.
  const options = ['-o', 'Dpkg::Use-Pty=0', '-o', 'DPkg::Lock::Timeout=120'];
  spawnSync('apt-get', [...options, '-qq', 'update'], { env, stdio: ['ignore', 'ignore', 'inherit'] });
  const args = [...options, '-qq', 'install', '-y', '--no-install-recommends', ...PACKAGES];
  spawnSync('apt-get', args, { env, stdio: ['ignore', 'ignore', 'inherit'] });
  return isThere();
}

/** What to do about a Redis server that is missing and cannot be installed from here; undefined where there is one. */
export function missingRedis() {
  if (isThere() || install()) return undefined;
  return `Install Redis ${OLDEST} or newer for the fleet's tests: "sudo apt-get install redis-server redis-sentinel" on Debian and Ubuntu, "brew install redis" on macOS.`;
}
