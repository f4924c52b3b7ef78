import { expect, it } from 'vitest';
import { frameworks } from '../../examples/demo/frameworks/index.ts';
import { Example } from '../examples/example.ts';

it('--help names every framework', async () => {
  const demo = new Example('demo/main.ts', ['--help']);
  expect(await demo.ended()).toBe(0);
  for (const name of Object.keys(frameworks)) expect(demo.output).toContain(name);
});

it.for([
  [['--framework', 'hapi'], '--framework: "hapi" was given; allowed: one of express, fastify, koa'],
  [['--framework', 'toString'], '--framework: "toString" was given'],
  [['--framwork', 'koa'], "Unknown option '--framwork'"],
  [['koa'], "Unexpected argument 'koa'"],
] as const)('%s is an error, and the help', async ([args, message]) => {
  const demo = new Example('demo/main.ts', args);
  expect(await demo.ended()).toBe(2);
  expect(demo.errors).toContain(message);
  expect(demo.errors).toContain('npm run demo -- --framework');
  expect(demo.output).toBe('');
});
