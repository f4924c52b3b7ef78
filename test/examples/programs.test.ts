import { expect, it } from 'vitest';
import { Example } from './example.ts';

it('examples/plain-function.ts: fails, refuses, and is well again', async () => {
  const example = new Example('plain-function.ts');
  expect(await example.ended()).toBe(0);

  const lines = example.output.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual(['21 degrees', '21 degrees']);
  expect(lines).toContain('the weather service answered 500');
  expect(lines).toContain('upstream:weather: closed -> open (consecutive-failures)');
  expect(lines).toContain('refused at once: the circuit is open');
  expect(lines).toContain('upstream:weather: half-open -> closed (probes-succeeded)');
  expect(lines.at(-2)).toBe('21 degrees');
  expect(lines.at(-1)).toMatch(/^5 good, 5 failed, \d+ refused, \d+ repeated$/);
});

it('examples/hosts.ts: sends calls past a broken host, and takes it back', async () => {
  const example = new Example('hosts.ts');
  expect(await example.ended()).toBe(0);

  const lines = example.output.trim().split('\n');
  expect(lines.slice(0, 2)).toEqual([
    expect.stringMatching(/^host 1: ejected \((failures-in-a-row|failure-rate)\)$/),
    expect.stringMatching(/^host 1: returned /),
  ]);
  const [, good, asked] = await example.says(/(\d+) of (\d+) answers were good/);
  expect(Number(good)).toBeGreaterThan(0.97 * Number(asked));
});

it('examples/queue-worker.ts: waits instead of failing its jobs', async () => {
  const example = new Example('queue-worker.ts');
  expect(await example.ended()).toBe(0);

  expect(example.output).toContain('circuit: closed -> open (failure-rate)');
  expect(example.output).toContain('circuit: half-open -> closed (probes-succeeded)');
  const [, putBack] = await example.says(/60 of 60 jobs done, (\d+) tries were put back/);
  expect(Number(putBack)).toBeLessThan(30);
});

it('examples/undici.ts: one circuit for every way of asking, and the last real answer when repeats run out', async () => {
  const example = new Example('undici.ts');
  expect(await example.ended()).toBe(0);
  expect(example.errors).toBe('');

  const lines = example.output.trim().split('\n');
  expect(lines.slice(0, 3)).toEqual(['withFetch: 200', 'withRequest: 200', 'withHealedFetch: 200']);
  for (const line of [
    'withFetch: 500',
    'upstream:weather: closed -> open (consecutive-failures)',
    'withFetch: TypeError, the circuit is open',
    'withRequest: CircuitOpenError, the circuit is open',
    'withHealedFetch: CircuitOpenError, the circuit is open',
    'upstream:weather: half-open -> closed (probes-succeeded)',
  ]) {
    expect(lines).toContain(line);
  }
  expect(lines.at(-2)).toBe('withHealedFetch: 200');
  const [, repeated] = await example.says(/6 good, \d+ failed, \d+ refused, (\d+) repeated/);
  expect(Number(repeated)).toBeGreaterThan(0);
});
