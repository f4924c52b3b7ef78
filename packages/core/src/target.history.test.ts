import { describe, expect, test } from 'vitest';
import { ConfigError } from './errors.ts';
import { createTestHealing } from './testing.ts';

function setup() {
  const { runtime, clock } = createTestHealing();
  return { runtime, clock, target: runtime.target('upstream:a') };
}

describe('the history of settings', () => {
  test('tells who has changed what, when and why', async () => {
    const { clock, target } = setup();
    expect(target.history().changes).toEqual([]);
    const at = clock.wall();
    target.update({ timeoutMs: 800 }, { reason: 'it is slow today' });
    await clock.advance(1_000);
    target.setRouteOptions({ retry: { maxRetries: 1 } });
    target.overlay('degrade', { recovery: { preferFallback: true } });
    target.overlay('degrade', undefined);
    expect(target.history().changes).toEqual([
      { version: 2, at, author: 'user', reason: 'it is slow today', change: { timeoutMs: 800 } },
      {
        version: 3,
        at: at + 1_000,
        author: 'user',
        reason: 'written beside the route or the call',
        change: { retry: { maxRetries: 1 } },
      },
      {
        version: 4,
        at: at + 1_000,
        author: 'recovery',
        reason: 'degrade',
        change: { degrade: { recovery: { preferFallback: true } } },
      },
      {
        version: 5,
        at: at + 1_000,
        author: 'recovery',
        reason: 'degrade is undone',
        change: { degrade: null },
      },
    ]);
    expect(target.settingsVersion).toBe(5);
  });

  test('is told as events, too', () => {
    const { runtime, target } = setup();
    const told: unknown[] = [];
    runtime.on('settings', (event) => told.push(event));
    target.update({ timeoutMs: 800 }, { reason: 'why not' });
    expect(told).toEqual([{ target: 'upstream:a', ...target.history().changes[0] }]);
  });

  test('keeps the last hundred changes', () => {
    const { target } = setup();
    for (let timeoutMs = 1; timeoutMs <= 150; timeoutMs++) target.update({ timeoutMs });
    const { changes } = target.history();
    expect([changes.length, changes[0]?.version, changes.at(-1)?.version]).toEqual([100, 52, 151]);
  });
});

test.each([null, 5, { reason: 5 }])(
  'a reason that is none is a ConfigError, and nothing has changed: %j',
  async (wrong) => {
    const { target } = setup();
    target.update({ timeoutMs: 800 });
    expect(() => target.update({ timeoutMs: 700 }, wrong as never)).toThrow(ConfigError);
    expect(() => target.history().rollback(1, wrong as never)).toThrow(ConfigError);
    await expect(target.force('open', wrong as never)).rejects.toThrow(ConfigError);
    expect([target.settings.timeoutMs, target.settingsVersion, target.status().forced]).toEqual([
      800,
      2,
      null,
    ]);
  },
);

describe('rolling back', () => {
  test('puts in force what was, as a version of its own', () => {
    const { target } = setup();
    target.update({ timeoutMs: 800 });
    target.update({ timeoutMs: 700, circuit: { openMs: 3_000 } });
    target.history().rollback(2, { reason: 'too short' });
    expect(target.settings).toMatchObject({ timeoutMs: 800, circuit: { openMs: 1_000 } });
    expect(target.history().changes.at(-1)).toMatchObject({
      version: 4,
      author: 'user',
      reason: 'back to version 2: too short',
      change: { timeoutMs: 800 },
    });
    target.history().rollback(3);
    expect(target.settings).toMatchObject({ timeoutMs: 700, circuit: { openMs: 3_000 } });
  });

  test('goes back to the beginning, and leaves what is written beside routes and what recovery lays over', () => {
    const { target } = setup();
    target.setRouteOptions({ retry: { maxRetries: 1 } });
    target.update({ timeoutMs: 800 });
    target.overlay('degrade', { recovery: { preferFallback: true } });
    target.history().rollback(1);
    expect(target.settings).toMatchObject({
      timeoutMs: 10_000,
      retry: { maxRetries: 1 },
      recovery: { preferFallback: true },
    });
  });

  test('to what is in force changes nothing', () => {
    const { target } = setup();
    target.update({ timeoutMs: 800 });
    target.history().rollback(2);
    expect(target.settingsVersion).toBe(2);
  });

  test('to a version that is not kept, or was never, is a ConfigError that says which are', () => {
    const { target } = setup();
    expect(() => target.history().rollback(2)).toThrow(ConfigError);
    expect(() => target.history().rollback(2)).toThrow(expect.objectContaining({ allowed: '1' }));
    for (let timeoutMs = 1; timeoutMs <= 150; timeoutMs++) target.update({ timeoutMs });
    expect(() => target.history().rollback(51)).toThrow(
      expect.objectContaining({ path: 'rollback.version', given: 51, allowed: '1, or from 52 to 151' }),
    );
    target.history().rollback(52);
    expect(target.settings.timeoutMs).toBe(51);
  });
});
