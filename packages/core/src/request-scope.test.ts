import { describe, expect, test } from 'vitest';
import { RequestScope } from './request-scope.ts';
import { createTestHealing } from './testing.ts';

const callee = (name: string) => ({ name, isUnwell: () => false });

function setup(leftMs = Number.POSITIVE_INFINITY) {
  const { runtime, clock } = createTestHealing();
  runtime.time.ensureAwake();
  return { clock, scope: new RequestScope(runtime.time, clock.now() + leftMs) };
}

describe('the time of a request', () => {
  test('is over at its end, and no concern of what goes on long after', async () => {
    const { clock, scope } = setup(100);
    expect(scope.leftMs).toBe(100);
    await clock.advance(300);
    expect(scope.leftMs).toBeLessThanOrEqual(-180);
    await clock.advance(10_000);
    expect(scope.leftMs).toBeUndefined();
  });

  test('limits nothing once it has its answer', () => {
    const { scope } = setup(100);
    scope.close();
    expect(scope.leftMs).toBeUndefined();
  });
});

describe('what is behind a failure of a request', () => {
  const [u, v] = [callee('u'), callee('v')];

  test('the upstream that failed last, unless it was well in the end', () => {
    const { scope } = setup();
    expect(scope.culprit).toBeUndefined();
    scope.began(u);
    scope.ended(u, 'failure');
    expect(scope.culprit).toBe(u);
    scope.began(v);
    scope.ended(v, 'success');
    expect(scope.culprit).toBe(u);
    scope.began(u);
    scope.ended(u, 'success');
    expect(scope.culprit).toBeUndefined();
    scope.refused(v);
    expect(scope.culprit).toBe(v);
    expect(scope.called).toEqual([u, v]);
  });

  test('the one that is waited for, for as long as any is', async () => {
    const { clock, scope } = setup();
    scope.began(u);
    await clock.advance(40);
    scope.began(v);
    await clock.advance(60);
    scope.ended(v, 'ignored');
    expect(scope.culprit).toBe(v);
    expect(scope.waitsFor(150)).toBe(true);
    expect(scope.waitsFor(400)).toBe(false);
    scope.ended(u, 'success');
    await clock.advance(1_000);
    expect(scope.culprit).toBeUndefined();
    expect(scope.waitsFor(10)).toBe(false);
    expect(scope.waitedMs).toBeGreaterThanOrEqual(80);
    expect(scope.waitedMs).toBeLessThanOrEqual(120);
  });

  test('remembers eight', () => {
    const { scope } = setup();
    for (let i = 0; i < 20; i++) scope.refused(callee(`${i}`));
    expect(scope.called).toHaveLength(8);
  });
});
