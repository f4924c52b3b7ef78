// Checks the direction of imports (.dependency-cruiser.mjs), and that the sources were really seen:
// without a parser for TypeScript, the tool finds no file and no fault.
import { globSync } from 'node:fs';
import { cruise } from 'dependency-cruiser';
import config from '../.dependency-cruiser.mjs';

/** Fewer sources than this were not all seen. */
const minimumModules = 60;

const sources = globSync('packages/*/src/**/*.ts', { exclude: (name) => name.endsWith('.test.ts') });
const { output } = await cruise(sources, {
  ...config.options,
  ruleSet: { forbidden: config.forbidden },
  validate: true,
});
const seen = output.modules.filter(({ source }) => /^packages\/[^/]+\/src\//.test(source));
const edges = seen.reduce((sum, { dependencies }) => sum + dependencies.length, 0);

const told = output.summary.violations.map(({ rule, from, to, cycle }) => {
  const { comment } = config.forbidden.find(({ name }) => name === rule.name);
  const ofTheFile = rule.name === 'core-file-without-a-layer';
  const path = ofTheFile ? [from] : cycle ? [from, ...cycle.map(({ name }) => name)] : [from, to];
  return `${rule.name}: ${path.join(' -> ')}\n    ${comment}`;
});
for (const line of new Set(told)) console.error(line);
if (seen.length < Math.max(minimumModules, sources.length)) {
  console.error(
    `Only ${seen.length} of ${sources.length} source files were seen (at least ${minimumModules} are expected).`,
  );
  process.exitCode = 1;
}
if (output.summary.violations.length > 0) process.exitCode = 1;
console.log(
  `imports: ${seen.length} source files, ${edges} imports, ${output.summary.violations.length} wrong`,
);
