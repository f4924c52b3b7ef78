// Prints "N passed, N failed" (and ", N skipped") for the last run of the tests, from the report that vitest
// wrote, and fails unless everything passed. A test file that could not be run counts as one failure.
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

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

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) {
  const { passed, failed, skipped } = countTests(read('node_modules/.cache/vitest/report.json'));
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
}
