// Prints what failed, then "N passed, N failed" (and ", N skipped") for the last runs of the tests, from the reports that
// vitest wrote, and fails unless everything passed. A test file that could not be run counts as one failure.
import { readFileSync } from 'node:fs';
import { relative } from 'node:path';
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

/** A line for the test, and the first lines of why: of a test, or of a file that could not be run. */
function failure(name, messages) {
  const reason = messages
    .join('\n')
    .split('\n')
    .slice(0, 4)
    .map((line) => `    ${line.slice(0, 200)}`);
  return [`failed: ${name}`, ...reason];
}

/** What a report says of each failure, as lines. */
export function listFailures(report) {
  return (report?.testResults ?? []).flatMap(({ name, status, message, assertionResults }) => {
    const file = relative(process.cwd(), name);
    const failed = assertionResults.filter((result) => result.status === 'failed');
    if (status === 'failed' && failed.length === 0) return failure(file, [message ?? '']);
    return failed.flatMap(({ fullName, failureMessages }) =>
      failure(`${file} > ${fullName}`, failureMessages ?? []),
    );
  });
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
  const reports = testRuns.filter((run) => !isLeftOut(run)).map(({ report }) => read(report));
  for (const line of reports.flatMap(listFailures)) console.log(line);
  const counts = reports.map(countTests);
  const [passed, failed, skipped] = ['passed', 'failed', 'skipped'].map((name) =>
    counts.reduce((sum, count) => sum + count[name], 0),
  );
  console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
  if (failed > 0 || passed === 0) process.exitCode = 1;
}

if (import.meta.url === pathToFileURL(process.argv[1] || '').href) printSummary();
