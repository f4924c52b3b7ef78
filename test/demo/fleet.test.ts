import { connect } from 'node:net';
import { expect, it } from 'vitest';
import { Example } from '../examples/example.ts';

/** Two halves of 16 s, and many processes that start, on two busy cores. */
const TIMEOUT_MS = 150_000;

function refusesConnections(url: string): Promise<boolean> {
  const { hostname, port } = new URL(url);
  return new Promise((resolve) => {
    const socket = connect(Number(port), hostname, () => end(false));
    socket.once('error', () => end(true));
    function end(refused: boolean): void {
      socket.destroy();
      resolve(refused);
    }
  });
}

it('shows what sharing is worth, in plain lines where there is no terminal', {
  timeout: TIMEOUT_MS,
}, async ({ skip }) => {
  const demo = new Example('demo/fleet/main.ts', ['--outage', '5']);
  const code = await demo.ended();

  expect(demo.errors).toBe('');
  expect(demo.output).not.toContain('\u001b');
  if (demo.output.includes('too busy for fair figures')) skip('this machine was too busy');
  const [, alone = '', together = ''] = demo.output.split(/WITHOUT SHARING\n|WITH SHARING\n/);
  for (const half of [alone, together]) {
    expect(half).toContain('FAULT: payments is dead');
    expect(half).toContain('FAULT ENDS');
  }
  for (const replica of ['replica 1', 'replica 2', 'replica 3']) {
    expect(alone).toContain(`${replica}: circuit open (consecutive-failures)`);
    expect(alone).toContain(`${replica}: circuit closed (probes-succeeded)`);
    expect(together).toContain(`${replica}: circuit open (fleet-opened)`);
    expect(together).toContain(`${replica}: circuit closed (fleet-closed)`);
  }
  expect(demo.output).toMatch(/probes sent to the dead upstream +\d+ +\d+ +\d+\.\d/);
  expect(demo.output).toMatch(/all circuits closed, from its return, after( +\d\.\d s){2}/);
  expect(demo.output).toMatch(/PASSED: without sharing, \d+\.\d times as many requests/);
  expect(code).toBe(0);
});

it('leaves nothing behind when it is ended', { timeout: TIMEOUT_MS }, async () => {
  const demo = new Example('demo/fleet/main.ts');
  await demo.says(/WITHOUT SHARING/);
  const urls = demo.output.match(/(redis|http):\/\/127\.0\.0\.1:\d+/g) ?? [];
  expect(urls).toHaveLength(7);
  for (const url of urls) expect(await refusesConnections(url)).toBe(false);
  await demo.stop('SIGINT');
  for (const url of urls) expect(await refusesConnections(url)).toBe(true);
  expect(demo.errors).toBe('');
});

it('says which Redis cannot be used', { timeout: TIMEOUT_MS }, async () => {
  const demo = new Example('demo/fleet/main.ts', ['--redis', 'redis://127.0.0.1:1']);
  expect(await demo.ended()).toBe(1);
  expect(demo.errors).toContain('redis://127.0.0.1:1 cannot be used');
});

it.for([
  [['--outage', '4'], '--outage: "4" was given; wanted: 5 to 60 seconds'],
  [['--outage', 'long'], '--outage: "long" was given'],
  [['--redis', 'localhost'], '--redis: "localhost" was given; wanted: a URL such as redis://localhost:6379'],
  [['--framework', 'hapi'], '--framework: "hapi" was given; allowed: one of express, fastify, koa'],
] as const)('%s is an error, and the help', async ([args, message]) => {
  const demo = new Example('demo/fleet/main.ts', args);
  expect(await demo.ended()).toBe(2);
  expect(demo.errors).toContain(message);
  expect(demo.errors).toContain('npm run demo:fleet -- --outage');
  expect(demo.output).toBe('');
});
