// Prints "N passed, N failed" (and ", N skipped") for the last runs of the tests, from the reports that vitest
// wrote, and fails unless everything passed. A test file that could not be run counts as one failure.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { isLeftOut, testRuns } from './test-runs.mjs';

/** The counts of a report in vitest's JSON format; of no report at all: one failure. */
export function countTests(report) {
  if (!report) return { passed: 0, failed: 1, skipped: 0 };
  const broken = report.testResults.filter(
    ({ status, assertionResults }) =>
      status === 'failed' && !assertionResults.some((result) => result.status === 'failed'),
  ).length;
  const failed = report.numFailedTests + broken;
  return {
    passed: report.numPassedTests,
    failed: failed === 0 && !report.success ? 1 : failed,
    skipped: report.numPendingTests + report.numTodoTests,
  };
}

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    return undefined;
  }
}

/** Prints the counts of all runs together, and sets the exit code when not all passed. */
export function printSummary() {
  const counts = testRuns.filter((run) => !isLeftOut(run)).map(({ report }) => countTests(read(report)));
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((name) =>
    counts.reduce((sum, count) => sum + count[name], 0),
  );
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) printSummary();
