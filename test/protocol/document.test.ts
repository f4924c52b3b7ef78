import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import type { Redis } from 'ioredis';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { resolveCircuit } from '../../packages/core/src/config/settings.ts';
import { tripTermsOf } from '../../packages/core/src/fleet/evidence.ts';
import { FleetKeys } from '../../packages/core/src/store/redis/keys.ts';
import { scripts } from '../../packages/core/src/store/redis/scripts.ts';
import { RedisServer } from '../fleet/harness/redis-server.ts';
import { play, stepsOf } from './exchange.ts';

const ROOT = resolve(import.meta.dirname, '../..');
const read = (file: string) => readFileSync(join(ROOT, file), 'utf8');
const text = read('docs/protocol.md');
const SOURCES = ['fleet/*.ts', 'store/*.ts', 'store/redis/*'].flatMap((glob) =>
  globSync(`packages/core/src/${glob}`, { cwd: ROOT }),
);
const lua = (name: string) => read(`packages/core/src/store/redis/${name}.lua`);

/** What stands below a heading, up to the next one of its kind. */
function section(heading: string): string {
  const level = '#'.repeat(heading.startsWith('### ') ? 3 : 2);
  const rest = text.split(`${heading}\n`)[1] ?? '';
  return rest.split(new RegExp(`^#{2,${level.length}} `, 'm'))[0] as string;
}

/** Cells of the rows of a section's tables, without heads. */
function rows(of: string): string[][] {
  return of
    .split('\n')
    .filter((line) => line.startsWith('| ') && !line.startsWith('|--'))
    .map((line) =>
      line
        .slice(2, -2)
        .split(/ (?<!\\)\| ?/)
        .map((cell) => cell.trim()),
    );
}

const named = (cell = '') => [...cell.matchAll(/`([^`]+)`/g)].map(([, name]) => name as string);
const block = (language: string) => text.split(`\`\`\`${language}\n`)[1]?.split('\n```')[0] as string;
const commandsIn = (rules: string) =>
  [...rules.matchAll(/\+([a-z]+)/g)].map(([, command]) => command as string);
const TAG = '{healix:v1:checkout}';
const TARGET = 'upstream:payments';

describe('docs/protocol.md', () => {
  let server: RedisServer;
  let redis: Redis;

  beforeAll(async () => {
    server = await RedisServer.start();
    redis = server.client();
  });
  beforeEach(() => redis.flushall());
  afterAll(() => server.stop());

  it('names every script that there is', () => {
    const told = rows(section('## Scripts'))
      .map(([name]) => named(name)[0])
      .filter(Boolean);
    const files = globSync('packages/core/src/store/redis/*.lua', { cwd: ROOT }).map((file) =>
      basename(file, '.lua'),
    );
    expect(told.slice(0, files.length - 1).sort()).toEqual(files.filter((name) => name !== 'record').sort());
  });

  it('names every key, as it is built', () => {
    const told = rows(section('## Keys')).flatMap(([name]) => named(name));
    const built = new FleetKeys('checkout', {}).of(['TARGET']);
    expect(told.map((key) => key.replace('TAG', TAG))).toEqual(built);
  });

  it.each(['report', 'claim', 'settle', 'seed', 'force'])('tells every field that %s.lua reads', (name) => {
    const shared =
      name === 'report' || name === 'settle' ? lua('record').split('local function openTime')[1] : '';
    const used = [...lua(name).matchAll(/input\.(\w+)/g)].map(([, field]) => field as string);
    const nested = [...`${lua(name)}${shared}`.matchAll(/terms\.(\w+)/g)].map(([, field]) => field as string);
    const heading = name === 'claim' ? '### claim and renew' : `### ${name}`;
    const told = rows(section(heading)).flatMap((cells) => named(cells.join(' ')));
    expect(told).toEqual(expect.arrayContaining(['target', 'nextId', ...used]));
    if (name === 'report') expect(told).toEqual(expect.arrayContaining(nested));
  });

  it('has timings as the code has them', () => {
    const timings = rows(section('## Timings')).filter(([what]) => what !== 'what');
    expect(timings.length).toBeGreaterThan(25);
    const code = SOURCES.map(read).join('\n');
    for (const [what, value = '', where] of timings) {
      const [snippet] = named(where) as [string];
      expect(code, what).toContain(snippet);
      const [, figure, unit] = /^([\d.]+) (ms|s)$/.exec(value) as unknown as [string, string, string];
      const ms = Math.round(Number(figure) * (unit === 's' ? 1_000 : 1) * 10) / 10;
      expect(
        snippet
          .replaceAll('_', '')
          .match(/[\d.]+/g)
          ?.map(Number),
        what,
      ).toContain(ms);
    }
  });

  it('names the commands that scripts need, as the other documents do', () => {
    const needed = commandsIn(block('acl'));
    const checked = [...lua('primary').matchAll(/\{ '([a-z]+)',/g)].map(([, command]) => command as string);
    const called = ['record', ...Object.keys(scripts)].flatMap((name) =>
      [...lua(name).matchAll(/(?:redis|server)\.p?call\('([A-Z]+)'/g)].map(([, command]) =>
        command?.toLowerCase(),
      ),
    );
    const all = (commands: unknown[]) => [...new Set(commands)].sort();
    expect(all(needed)).toEqual(
      all([...called.filter((name) => name !== 'info'), 'eval', 'evalsha', 'xread']),
    );
    expect(all(['eval', 'evalsha', 'time', ...checked])).toEqual(all(needed));
    const permitted = section('## Redis');
    const guide = read('docs/fleet.md').split('## What the Redis user')[1] as string;
    expect(all(commandsIn(guide))).toEqual(all(commandsIn(permitted)));
    const tested = read('test/fleet/store/redis-permissions.test.ts').split('const NEEDED')[1] as string;
    expect(all(commandsIn(tested.split(';')[0] as string))).toEqual(all(needed));
  });

  it('hashes terms as the code does', () => {
    const examples = rows(section('## Sums')).filter(([, hash]) => /^`[0-9a-z]+`$/.test(hash ?? ''));
    expect(examples.length).toBe(3);
    for (const [example, hash] of examples) {
      const [failureRate, minimumCalls, streak, windowMs] = (named(example)[0] as string)
        .split(',')
        .map(Number);
      const given = { failureRate, minimumCalls, windowMs, consecutiveFailures: (streak as number) / 4 };
      const terms = tripTermsOf(resolveCircuit(given));
      expect([terms.streak, terms.hash]).toEqual([streak, named(hash)[0]]);
    }
  });

  it('computes open times as the scripts do', async () => {
    const examples = rows(section('## Sums')).filter(
      (cells) => cells.length === 6 && /^\d/.test(cells[0] as string),
    );
    expect(examples.length).toBe(6);
    const record = scripts.leave.slice(0, scripts.leave.indexOf("redis.call('ZREM', members, replica)"));
    const keys = ['s', 'm', 'i', 'o', 'f'].map((kind) => `${TAG}:${kind}`);
    for (const cells of examples) {
      const [openMs, maxOpenMs, noticeMs, n, chance, expected] = cells.map(Number);
      const terms = JSON.stringify({ openMs, maxOpenMs, noticeMs, chance, n });
      const script = `${record}\nreturn openTime(inputs[1], inputs[1].n)`;
      expect(await redis.eval(script, 5, ...keys, '{}', terms), cells.join()).toBe(expected);
    }
  });

  it('shows an exchange as it is', async () => {
    const names = Object.fromEntries(
      [...section('## An exchange').matchAll(/`([A-Z]{3,})`\s(?:is\s)?`(\{[^`]+\})`/g)].map(
        ([, name, json]) => [name, json],
      ),
    );
    expect(Object.keys(names)).toEqual(['TERMS', 'OPEN']);
    const steps = stepsOf(block('exchange'), names);
    expect(steps.length).toBeGreaterThan(10);
    for (const step of steps) {
      const { atMs, replica, script, told } = step;
      expect(await play(redis, TAG, TARGET, step), `${atMs} ${replica} ${script}`).toEqual(told);
    }
  });

  it('shows a call in bytes that Redis understands', async () => {
    const { connect } = await import('node:net');
    await redis.script('LOAD', scripts.heartbeat);
    const digest = createHash('sha1').update(scripts.heartbeat).digest('hex');
    const bytes = (mark: string) =>
      block('resp')
        .split('\n')
        .filter((line) => line.startsWith(mark))
        .map((line) => line.slice(2).replaceAll('\\r\\n', '\r\n').replace('DIGEST', digest))
        .join('');
    const socket = connect(server.port, '127.0.0.1');
    socket.write(bytes('> '));
    const answer = await new Promise((done) => socket.once('data', (data) => done(data.toString())));
    socket.destroy();
    expect(answer).toBe(bytes('< '));
  });
});
