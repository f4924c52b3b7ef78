import { createHash } from 'node:crypto';
import type { Redis } from 'ioredis';
import { scripts } from '../../../packages/core/src/store/redis/scripts.ts';

export type ScriptName = keyof typeof scripts;

/** What surrounds one call of a script: how the server is, as the model has it. */
export interface ServerState {
  /** Ms since 1970 by the server's clock. */
  readonly now: number;
  readonly run: string;
  readonly readOnly: boolean;
}

/**
 * The store's scripts run as they are, with the model's time, run id and stream ids in place of the server's. Real ids
 * never go back on a server, whatever its clock does; nor do these. The server's state comes as the last of ARGV.
 */
const BEFORE = `
local server, state, published = redis, cjson.decode(table.remove(ARGV)), 0
local READS = { HGETALL = true, HMGET = true, XREVRANGE = true, ZRANGE = true, ZCARD = true }
local function append(key, a, b, c, star, ...)
  published = 1
  local reply = server.pcall('XADD', key, a, b, c, state.now .. '-*', ...)
  if type(reply) == 'string' then return reply end
  local last = server.call('XREVRANGE', key, '+', '-', 'COUNT', 1)[1][1]
  return server.call('XADD', key, a, b, c, string.match(last, '^%d+') .. '-*', ...)
end
local redis = {
  pcall = function(name, ...)
    if name == 'INFO' then return 'run_id:' .. state.run end
    return server.pcall(name, ...)
  end,
  call = function(name, ...)
    if name == 'TIME' then
      local seconds = math.floor(state.now / 1000)
      return { string.format('%.0f', seconds), string.format('%.0f', (state.now - seconds * 1000) * 1000) }
    end
    if state.readOnly and not READS[name] then error({ err = 'READONLY You can\\'t write against a read only replica.' }) end
    if name == 'XADD' then return append(...) end
    return server.call(name, ...)
  end,
}
state.now = string.format('%.0f', state.now)
local function main()
`;
const AFTER = `
end
return { main(), published }
`;

interface Loaded {
  readonly name: ScriptName;
  readonly sha: string;
}

/** The store's scripts, by the digests under which the store calls them, as loaded into the model's server. */
export class ScriptLibrary {
  readonly #bySha = new Map<string, Loaded>();

  /** @param change what takes a rule away */
  static async load(
    server: Redis,
    change: (name: ScriptName, text: string) => string = (_, text) => text,
  ): Promise<ScriptLibrary> {
    const library = new ScriptLibrary();
    for (const [key, text] of Object.entries(scripts)) {
      const name = key as ScriptName;
      const sha = await server.script('LOAD', BEFORE + change(name, text) + AFTER);
      library.#bySha.set(createHash('sha1').update(text).digest('hex'), { name, sha: String(sha) });
    }
    return library;
  }

  find(sha: string): Loaded {
    const loaded = this.#bySha.get(sha);
    if (loaded === undefined) throw new Error(`no script has the digest ${sha}`);
    return loaded;
  }
}
