import type { Redis } from 'ioredis';
import { scripts } from '../../packages/core/src/store/redis/scripts.ts';

const BEGIN = 1_750_000_000_000;
const FLEET_KEYS = ['s', 'm', 'i', 'o', 'f'];
const TARGET_KEYS = ['t', 'w', 'l'];

/** One line of the document's exchange: `ms replica script input`. */
export interface Step {
  readonly atMs: number;
  readonly replica: string;
  readonly script: keyof typeof scripts;
  readonly input: object | undefined;
  /** What the document says that comes back, then what the stream brings; an entry's id is `ID`. */
  readonly told: readonly unknown[];
}

/** Steps of an exchange as the document has it, with what its names stand for. */
export function stepsOf(text: string, names: Readonly<Record<string, string>>): Step[] {
  return text
    .trim()
    .split(/\n(?! )/)
    .map((lines) => {
      const [head = '', ...told] = lines.split('\n');
      const [, atMs, replica, script, input] = /^(\d+) (\w+) (\w+)(?: (.*))?$/.exec(head) ?? [];
      const json = input?.replaceAll(/\b[A-Z]{3,}\b/g, (name) => names[name] ?? name);
      return {
        atMs: Number(atMs),
        replica: replica as string,
        script: script as keyof typeof scripts,
        input: json === undefined ? undefined : JSON.parse(json),
        told: told.map((line) => JSON.parse(line.replace(/^ +(stream )?/, ''))),
      };
    });
}

/** Replies and news as they come from Redis, at the step's time. */
export async function play(redis: Redis, tag: string, target: string, step: Step): Promise<unknown[]> {
  const now = BEGIN + step.atMs;
  const time = `{ '${Math.floor(now / 1_000)}', '${(now % 1_000) * 1_000}' }`;
  const prelude = `local server = redis
    local redis = { pcall = server.pcall, call = function(name, ...)
      if name == 'TIME' then return ${time} end
      return server.call(name, ...)
    end }\n`;
  const [last] = await redis.xrevrange(`${tag}:s`, '+', '-', 'COUNT', 1);
  const own = step.input === undefined ? [] : TARGET_KEYS.map((kind) => `${tag}:${kind}:${target}`);
  const keys = [...FLEET_KEYS.map((kind) => `${tag}:${kind}`), ...own];
  const inputs = step.input === undefined ? [] : [{ target, ...step.input }];
  const args = [{ replica: step.replica, run: 'f1' }, ...inputs].map((arg) => JSON.stringify(arg));
  const reply = await redis.eval(prelude + scripts[step.script], keys.length, ...keys, ...args);
  const news = await redis.xrange(`${tag}:s`, last === undefined ? '-' : `(${last[0]}`, '+');
  const lines = [...(reply as string[]), ...news.map(([, [, entry]]) => entry as string)];
  return lines.map((line) => JSON.parse(line.replace(/"\d{10,}-\d+"/, '"ID"')));
}
