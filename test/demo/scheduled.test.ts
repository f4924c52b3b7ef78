import { expect, it } from 'vitest';
import { Example } from '../examples/example.ts';

it('shows what healing is worth, in plain lines where there is no terminal', {
  timeout: 90_000,
}, async ({ skip }) => {
  const demo = new Example('demo/main.ts');
  const code = await demo.ended();

  expect(demo.errors).toBe('');
  expect(demo.output).not.toContain('\u001b');
  if (demo.output.includes('too busy for fair figures')) skip('this machine was too busy');
  for (const line of [
    'FAULT: payments hangs',
    'payments: circuit closed -> open',
    'payments: up to level 4 isolate',
    'payments: undone: level 4 isolate',
    'catalog: up to level 1 retry',
    'catalog: undone: level 0 observe',
    'FAULT ENDS',
    'goodput (full and degraded)',
    'p99',
  ]) {
    expect(demo.output).toContain(line);
  }
  expect(demo.output).toMatch(/PASSED: with healing, \d+\.\d\d times as many full answers/);
  expect(code).toBe(0);
});
