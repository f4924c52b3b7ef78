import { describe, expect, test } from 'vitest';
import { DrivenFleet } from '../../../../test/fleet/harness/driven-fleet.ts';
import { openView } from '../../../../test/fleet/harness/scripted-store.ts';

test('a store that fails in quiet times is soon known to be away', async () => {
  const { clock, scripted, states, join, busy } = new DrivenFleet();
  join();
  await clock.advance(4_900);
  scripted.fail();
  await busy(2_000);
  expect(states).toEqual(['connected', 'away']);
  expect(scripted.heartbeat.mock.calls.length).toBeGreaterThanOrEqual(4);
});

test('the same without a single call', async () => {
  const { clock, scripted, states, join } = new DrivenFleet();
  join();
  await clock.advance(4_900);
  scripted.fail();
  await clock.advance(2_500);
  expect(states).toEqual(['connected', 'away']);
});

describe('while the store is away', () => {
  async function away() {
    const world = new DrivenFleet();
    const target = world.join();
    target.calls(1, 'success');
    await world.clock.advance(100);
    await world.tell('1-0', openView('t', { remainingMs: 5_000 }));
    world.scripted.fail();
    await world.clock.advance(2_000);
    expect(world.states).toEqual(['connected', 'away']);
    return { ...world, target };
  }

  test('what is open stays open until it is due, and is then tried here', async () => {
    const { clock, target } = await away();
    expect([target.state, target.breaker.isFleets]).toEqual(['open', false]);
    await clock.advance(3_000);
    target.calls(2, 'success');
    expect(target.state).toBe('closed');
  });

  test('nothing is claimed, and a write is tried twice a second', async () => {
    const { clock, scripted } = await away();
    scripted.heartbeat.mockClear();
    scripted.claim.mockClear();
    await clock.advance(10_000);
    expect(scripted.claim).not.toHaveBeenCalled();
    expect(scripted.heartbeat.mock.calls.length).toBeGreaterThanOrEqual(18);
    expect(scripted.heartbeat.mock.calls.length).toBeLessThanOrEqual(21);
  });

  test('it ends with the first write that works: what is open is in the hands of the fleet again', async () => {
    const { clock, scripted, target, states } = await away();
    scripted.recover();
    scripted.unsettled = [{ target: 't', epoch: 1 }];
    await clock.advance(600);
    expect(states).toEqual(['connected', 'away', 'connected']);
    expect([target.state, target.breaker.isFleets]).toEqual(['open', true]);
    await clock.advance(3_000);
    expect(scripted.claim).toHaveBeenCalled();
  });
});
