import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Calls an export of a script with JSON arguments, in a process of its own, as npm does. */
function call(script: string, name: string, ...args: unknown[]): unknown {
  const code = `
    const { ${name} } = await import(${JSON.stringify(`./scripts/${script}`)});
    console.log(JSON.stringify(${name}(...${JSON.stringify(args)}) ?? null));`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', code], { cwd: root, encoding: 'utf8' }),
  );
}

describe('check-node', () => {
  it.each(['v18.20.0', 'v20.20.2', 'v22.17.1'])('tells a user of %s in one line what to do', (version) => {
    const problem = call('check-node.mjs', 'nodeProblem', version) as string;
    expect(problem).toContain(`this is ${version}`);
    expect(problem.split('\n')).toHaveLength(1);
  });

  it.each(['v22.18.0', 'v24.21.0', 'v26.0.0'])('lets %s pass', (version) => {
    expect(call('check-node.mjs', 'nodeProblem', version)).toBeNull();
  });

  it('lets the Node.js that runs these tests pass', () => {
    const { status, stderr } = spawnSync(process.execPath, ['scripts/check-node.mjs'], {
      cwd: root,
      encoding: 'utf8',
    });
    expect({ status, stderr }).toEqual({ status: 0, stderr: '' });
  });
});

describe('prerequisites', () => {
  const locked = {
    'node_modules/a': { version: '1.0.0' },
    'node_modules/b': { version: '1.0.0', optional: true },
  };

  it('finds nothing wrong with what the lock file names', () => {
    expect(call('prerequisites.mjs', 'outdated', locked, locked)).toEqual([]);
  });

  it('names what is missing or of another version, but no missing optional package', () => {
    expect(call('prerequisites.mjs', 'outdated', locked, {})).toEqual(['node_modules/a']);
    expect(call('prerequisites.mjs', 'outdated', locked, { 'node_modules/a': { version: '2.0.0' } })).toEqual(
      ['node_modules/a'],
    );
  });
});

describe('test-summary', () => {
  const report = {
    success: true,
    numPassedTests: 3,
    numFailedTests: 0,
    numPendingTests: 1,
    numTodoTests: 0,
    testResults: [
      { status: 'passed', name: `${root}test/c.test.ts`, assertionResults: [{ status: 'passed' }] },
    ],
  };

  it('counts passed, failed and skipped tests', () => {
    expect(call('test-summary.mjs', 'countTests', report)).toEqual({ passed: 3, failed: 0, skipped: 1 });
  });

  it('counts a file that could not be run, an error outside a test, and a missing report as a failure', () => {
    const broken = { ...report, success: false, testResults: [{ status: 'failed', assertionResults: [] }] };
    expect(call('test-summary.mjs', 'countTests', broken)).toMatchObject({ failed: 1 });
    expect(call('test-summary.mjs', 'countTests', { ...report, success: false })).toMatchObject({
      failed: 1,
    });
    expect(call('test-summary.mjs', 'countTests', null)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });

  it('names each test and each file that failed, and says why', () => {
    const failing = {
      status: 'failed',
      name: `${root}test/a.test.ts`,
      assertionResults: [
        { status: 'failed', fullName: 'a thing works', failureMessages: ['Error: no\n  at line 1'] },
        { status: 'passed', fullName: 'another' },
      ],
    };
    const broken = {
      status: 'failed',
      name: `${root}test/b.test.ts`,
      message: 'no such import',
      assertionResults: [],
    };
    const { testResults } = report;
    expect(
      call('test-summary.mjs', 'listFailures', { ...report, testResults: [...testResults, failing, broken] }),
    ).toEqual([
      'failed: test/a.test.ts > a thing works',
      '    Error: no',
      '      at line 1',
      'failed: test/b.test.ts',
      '    no such import',
    ]);
    expect(call('test-summary.mjs', 'listFailures', null)).toEqual([]);
  });
});
