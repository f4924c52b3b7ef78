import { createHealing } from '@healix/core';
import { Routes } from '@healix/core/adapter';
import { CircuitBreaker } from '@healix/core/parts';
import { createTestHealing } from '@healix/core/testing';

async function main(): Promise<void> {
  const runtime = createHealing();
  const double = runtime.wrap('upstream:double', (n: number) => n * 2, { timeoutMs: 2_000 });
  const answer: number = await double(21);
  const { success } = runtime.target('upstream:double').status().counts;
  await runtime.close();

  const virtual = createTestHealing({ seed: 7 });
  const payments = virtual.runtime.target('upstream:payments');
  await payments.force('open');
  const fallback: string = await payments.run(() => 'charged', { fallback: () => 'later' });
  await virtual.clock.advance(5_000);
  await virtual.runtime.close();

  const { state } = new CircuitBreaker({ failureRate: 0.5 });
  console.log(JSON.stringify({ answer, success, fallback, state, routes: typeof Routes }));
}

void main();
