// The runs of the tests: those of `npm test`, and those of `npm run test:full`. Each leaves its report for
// test-summary.mjs.
import { existsSync } from 'node:fs';

/** Up to twenty real processes each, which fail, freeze and die: minutes. */
const PROCESSES = 'test/fleet/processes';

const everyRun = [
  {
    title: 'all tests',
    node: process.execPath,
    args: ['--exclude', `${PROCESSES}/**`],
    report: 'node_modules/.cache/vitest/report.json',
  },
  {
    title: 'what users run, on the oldest Node.js that all packages support',
    node: 'test/node_modules/node/bin/node',
    args: ['packages', 'test/conformance', 'test/outbound'],
    report: 'node_modules/.cache/vitest/report-oldest-node.json',
  },
  {
    title: 'a fleet of many processes',
    node: process.execPath,
    args: [PROCESSES],
    report: 'node_modules/.cache/vitest/report-processes.json',
    onlyFull: true,
  },
];

/** `{ title, node, args, report }` of each; `args` say what vitest is to run. */
export const testRuns = everyRun.filter(({ onlyFull }) => !onlyFull || process.argv.includes('--full'));

/** Whether the run is to be left out: the registry has no such Node.js for this platform. CI leaves none out. */
export function isLeftOut({ node }) {
  return !process.env.CI && !existsSync(node);
}
