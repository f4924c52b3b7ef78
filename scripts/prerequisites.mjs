// Checks that what the tests need is installed, and says in one line what to do when it is not.
// They need the packages of package-lock.json, and what system-packages.mjs tells; test/consumption asks the npm registry
// for more by itself.
import { existsSync, readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { missingForTests } from './system-packages.mjs';

/** What is installed in another version than the lock file names, or not at all although it must be. */
export function outdated(locked, installed) {
  return Object.entries(locked).flatMap(([path, entry]) => {
    if (!path.startsWith('node_modules/') || entry.link) return [];
    const found = installed[path];
    if (!found) return entry.optional || entry.peer || entry.devOptional ? [] : [path];
    return found.version === entry.version ? [] : [path];
  });
}

function packagesOf(file) {
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) {
  const wrong = outdated(packagesOf('package-lock.json'), packagesOf('node_modules/.package-lock.json'));
  if (wrong.length > 0) {
    const names = wrong.slice(0, 3).map((path) => path.slice('node_modules/'.length));
    const more = wrong.length > names.length ? ` and ${wrong.length - names.length} more` : '';
    console.error(`Run "npm ci" first: ${names.join(', ')}${more} not installed as package-lock.json says.`);
    process.exit(1);
  }
  const missing = missingForTests();
  for (const { without } of missing) console.error(without);
  if (missing.some(({ isOptional }) => !isOptional)) process.exit(1);
}
