// Writes the public types of every entry to api/*.api.md, so that a change of the public face is seen in a
// diff. With --check it writes nothing there, and fails when a file differs from what the build gives.
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Extractor, ExtractorConfig } from '@microsoft/api-extractor';
import { publicPackages } from './packages.mjs';

const check = process.argv.includes('--check');
const folder = resolve('api');
const fresh = resolve('node_modules/.cache/api');
const problems = [];

/** Writes the report of one entry to `fresh`, and, unless checking, to `folder`. */
function extract(pkg, entry, report) {
  const quiet = { default: { logLevel: 'none' } };
  const config = ExtractorConfig.prepare({
    packageJsonFullPath: join(pkg.folder, 'package.json'),
    configObjectFullPath: undefined,
    configObject: {
      projectFolder: pkg.folder,
      mainEntryPointFilePath: entry.types,
      compiler: {
        overrideTsconfig: {
          compilerOptions: {
            target: 'es2023',
            lib: ['es2023', 'esnext.disposable'],
            module: 'nodenext',
            types: ['node'],
            strict: true,
            skipLibCheck: true,
            noEmit: true,
          },
          files: [entry.types],
        },
      },
      apiReport: {
        enabled: true,
        reportFileName: report,
        reportFolder: folder,
        reportTempFolder: fresh,
        includeForgottenExports: true,
      },
      docModel: { enabled: false },
      dtsRollup: { enabled: false },
      tsdocMetadata: { enabled: false },
      messages: {
        compilerMessageReporting: { default: { logLevel: 'error' } },
        extractorMessageReporting: quiet,
        tsdocMessageReporting: quiet,
      },
    },
  });
  const { succeeded, errorCount } = Extractor.invoke(config, {
    localBuild: !check,
    messageCallback(message) {
      message.handled = true;
      if (message.logLevel === 'error') console.error(`${report}: ${message.text}`);
    },
  });
  if (!succeeded && errorCount > 0) problems.push(`${report}: its declarations could not be read`);
}

function lines(file) {
  return existsSync(file) ? readFileSync(file, 'utf8').split(/\r?\n/) : [];
}

/** The first line in which two files differ, for a message. */
function difference(before, after) {
  const line = after.findIndex((text, index) => text !== before[index]);
  const at = line < 0 ? after.length : line;
  return `line ${at + 1}: ${JSON.stringify(before[at] ?? '')} is now ${JSON.stringify(after[at] ?? '')}`;
}

mkdirSync(folder, { recursive: true });
rmSync(fresh, { recursive: true, force: true });
mkdirSync(fresh, { recursive: true });

const written = [];
for (const pkg of publicPackages()) {
  for (const entry of pkg.entries) {
    const report = `${[pkg.short, entry.name].filter(Boolean).join('.')}.api.md`;
    written.push(report);
    if (!existsSync(entry.types)) {
      problems.push(`${report}: ${entry.types} is not there; is the package built?`);
      continue;
    }
    extract(pkg, entry, report.replace(/\.api\.md$/, ''));
    const [before, after] = [lines(join(folder, report)), lines(join(fresh, report))];
    if (check && before.join('\n') !== after.join('\n'))
      problems.push(`${report}: ${difference(before, after)}`);
  }
}

for (const file of readdirSync(folder).filter((name) => !written.includes(name))) {
  if (check) problems.push(`${file}: no entry has this report`);
  else rmSync(join(folder, file));
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) {
  if (check) console.error('If the public types were meant to change: npm run api, then commit api/.');
  process.exit(1);
}
console.log(`public types: ${written.length} entries ${check ? 'as in api/' : 'written to api/'}`);
