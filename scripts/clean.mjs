// Removes what builds and checks leave behind, or only the paths that it is given.
import { globSync, rmSync } from 'node:fs';

const EVERYTHING = ['packages/*/dist', '.turbo', 'packages/*/.turbo', 'node_modules/.cache', '.cache'];

const given = process.argv.slice(2);
for (const path of globSync(given.length > 0 ? given : EVERYTHING)) {
  rmSync(path, { recursive: true, force: true });
}
