import { describe, expect, test } from 'vitest';
import { DrivenTarget } from '../../../../test/fleet/harness/driven-target.ts';
import { openView, viewOf } from '../../../../test/fleet/harness/scripted-store.ts';
import { seededRandom } from '../time/random.ts';
import { VirtualClock } from '../time/virtual-clock.ts';
import { SelfSuspicion } from './self-suspicion.ts';
import { SharedCircuit } from './shared-circuit.ts';

/** Upstreams of which the first `failing` fail, and the others are well. */
function setup(failing: number, well: number) {
  const clock = new VirtualClock();
  const suspicion = new SelfSuspicion();
  const targets = Array.from({ length: failing + well }, (_, n) => new DrivenTarget(clock, `upstream:${n}`));
  for (const [n, target] of targets.entries()) target.calls(3, n < failing ? 'failure' : 'success');
  const circuits = targets.map((target) => new SharedCircuit(target, seededRandom(1)));
  const look = () => {
    suspicion.look(circuits, clock.now());
    return suspicion.suspected;
  };
  return { clock, targets, circuits, look };
}

describe('this process is suspected', () => {
  test.each([
    [1, 0, false],
    [2, 0, false],
    [1, 2, false],
    [2, 1, true],
    [3, 0, true],
    [2, 2, false],
    [3, 2, true],
  ])('with %i upstreams that fail and %i that are well: %s', (failing, well, suspected) => {
    expect(setup(failing, well).look()).toBe(suspected);
  });

  test('no more once they are well again', () => {
    const { targets, look } = setup(3, 0);
    expect(look()).toBe(true);
    for (const target of targets) target.calls(4, 'success');
    expect(look()).toBe(false);
  });

  test('also when circuits have opened, whatever their windows say by then', () => {
    const { targets, look, clock } = setup(2, 1);
    for (const target of targets.slice(0, 2)) target.calls(5, 'failure');
    clock.advanceSync(11_000);
    targets[2]?.calls(3, 'success');
    expect(look()).toBe(true);
  });

  test('as soon as they fail in a row, however many successes their windows hold', () => {
    const { targets, look } = setup(0, 3);
    for (const target of targets) target.calls(100, 'success');
    for (const target of targets) target.calls(2, 'failure');
    expect(look()).toBe(true);
  });

  test('for no single failure', () => {
    const { targets, look, clock } = setup(0, 3);
    clock.advanceSync(11_000);
    for (const target of targets) target.calls(1, 'failure');
    expect(look()).toBe(false);
  });
});

describe('what says nothing of this process', () => {
  test('upstreams that nobody calls', () => {
    const { targets, look, clock } = setup(2, 1);
    clock.advanceSync(11_000);
    for (const target of targets.slice(0, 2)) target.calls(3, 'failure');
    expect(look()).toBe(false);
  });

  test('circuits that the fleet has opened', () => {
    const { circuits, look, clock } = setup(3, 0);
    circuits[0]?.take(openView('upstream:0'), 'reply', clock.now());
    expect(look()).toBe(false);
  });

  test('circuits that a person holds', () => {
    const { circuits, look, clock } = setup(3, 0);
    const forced = viewOf('upstream:0', { forced: 'open', forcedVersion: 1 });
    circuits[0]?.take(forced, 'reply', clock.now());
    expect(look()).toBe(false);
  });
});
