// Removes what builds and checks leave behind.
import { globSync, rmSync } from 'node:fs';

for (const path of globSync([
  'packages/*/dist',
  '.turbo',
  'packages/*/.turbo',
  'node_modules/.cache',
  '.cache',
])) {
  rmSync(path, { recursive: true, force: true });
}
