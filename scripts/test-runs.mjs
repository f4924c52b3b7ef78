// The runs that `npm test` consists of. Each leaves its report for test-summary.mjs.
import { existsSync } from 'node:fs';

/** `{ title, node, files, report }` of each; `files` are what vitest is to run, none being all. */
export const testRuns = [
  {
    title: 'all tests',
    node: process.execPath,
    files: [],
    report: 'node_modules/.cache/vitest/report.json',
  },
  {
    title: 'what users run, on the oldest Node.js that all packages support',
    node: 'test/node_modules/node/bin/node',
    files: ['packages', 'test/conformance', 'test/outbound'],
    report: 'node_modules/.cache/vitest/report-oldest-node.json',
  },
];

/** Whether the run is to be left out: the registry has no such Node.js for this platform. CI leaves none out. */
export function isLeftOut({ node }) {
  return !process.env.CI && !existsSync(node);
}
