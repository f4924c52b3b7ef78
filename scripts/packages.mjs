// The packages that users install, and their entries, as their package.json files say.
import { globSync, readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';

/** `{ name, folder, short, entries: [{ name, types }] }` of each; `short` is the name without its scope. */
export function publicPackages() {
  return globSync('packages/*/package.json')
    .sort()
    .map((file) => {
      const { name, exports } = JSON.parse(readFileSync(file, 'utf8'));
      const folder = resolve(dirname(file));
      const entries = Object.entries(exports)
        .filter(([, target]) => target.types)
        .map(([path, target]) => ({
          name: path === '.' ? '' : path.slice(2),
          types: resolve(folder, target.types),
        }));
      return { name, folder, short: name.split('/')[1], entries };
    });
}
