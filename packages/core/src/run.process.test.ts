import { execFile } from 'node:child_process';
import { describe, expect, test } from 'vitest';

const core = (file: string) => JSON.stringify(new URL(file, import.meta.url).href);

/** Runs code in a process of its own; tells how it ended and how long it lived once it was up. */
function inProcess(code: string): Promise<{ code: number; out: string; err: string }> {
  const source = `
    import { createHealing } from ${core('index.ts')};
    const upAt = performance.now();
    process.on('exit', (code) => console.log(JSON.stringify({ ms: performance.now() - upAt, code })));
    ${code}`;
  return new Promise((resolve) => {
    execFile(
      process.execPath,
      ['--input-type=module', '--disable-warning=ExperimentalWarning', '--eval', source],
      { timeout: 15_000 },
      (error, out, err) => resolve({ code: error ? ((error.code as number) ?? -1) : 0, out, err }),
    );
  });
}

const lifeOf = (out: string) =>
  JSON.parse(out.trim().split('\n').at(-1) ?? '') as { ms: number; code: number };

describe('the process', () => {
  test('lives while a deadline is pending, so that its call ends', async () => {
    const { out, err } = await inProcess(`
      const target = createHealing().target('upstream:a', { timeoutMs: 400, retry: { maxRetries: 0 } });
      await target.run(() => new Promise(() => {})).catch((error) => console.log(error.code));
    `);
    expect(err).toBe('');
    expect(out).toContain('HEALIX_DEADLINE');
    expect(lifeOf(out).ms).toBeGreaterThanOrEqual(380);
  });

  test('lives while somebody waits for a target to be ready', async () => {
    const { out } = await inProcess(`
      const target = createHealing().target('upstream:a', { circuit: { openMs: 300 } });
      for (let i = 0; i < 5; i++) target.release(target.acquire(), 'failure');
      await target.ready();
      console.log('ready');
    `);
    expect(out).toContain('ready');
    expect(lifeOf(out).code).toBe(0);
  });

  test('ends at once where none is: neither the ticker nor the loop holds it', async () => {
    const { out } = await inProcess(`
      const target = createHealing().target('upstream:a');
      await target.run(() => 1);
      target.acquire();
      await target.force('open');
    `);
    // The ticker would go on for 10 s; a busy machine needs a while for next to nothing.
    expect(lifeOf(out).ms).toBeLessThan(5_000);
  });

  test('is not ended by late rejections, rejecting callbacks, or an async listener that throws', async () => {
    const { code, out, err } = await inProcess(`
      const runtime = createHealing({
        notify: async () => { throw new Error('notify'); },
        defaults: { recovery: { escalateAfterMs: 0, proveMs: 10 }, classify: async () => { throw new Error('classify'); } },
      });
      runtime.on('transition', async () => { throw new Error('listener'); });
      runtime.on('incident', () => { throw new Error('listener'); });
      const target = runtime.target('upstream:a', { timeoutMs: 50, retry: { maxRetries: 0 } });
      await target.run(() => new Promise((_, fail) => setTimeout(() => fail(new Error('late')), 120))).catch(() => {});
      for (let i = 0; i < 30; i++) await target.run(async () => { throw new Error('x'); }).catch(() => {});
      const threw = () => runtime.status().callbackErrors.map(({ callback }) => callback).sort().join();
      for (let i = 0; i < 100 && threw().split(',').length < 3; i++) {
        await new Promise((resolve) => setTimeout(resolve, 50));
      }
      console.log(threw());
      process.exit(7);
    `);
    expect(err).not.toContain('Unhandled');
    expect(out.split('\n')[0]).toBe('classify,listener,strategy notify');
    expect(lifeOf(out).code).toBe(7);
    expect(code).toBe(7);
  });
});
