import { createHash } from 'node:crypto';
import { StoreError } from '../../errors.ts';
import { HANDSHAKE_MS, type RedisClient } from './client.ts';
import { Connection, type Surroundings } from './connection.ts';
import { type Fields, parseObjects, textOf } from './replies.ts';
import { scripts } from './scripts.ts';
import { toStoreError } from './store-error.ts';

/** How long a command may take, in ms. */
const COMMAND_MS = 50;
/** How long the first one on a connection may take; longer yet on a process's first connection. */
const FIRST_COMMAND_MS = 250;
/**
 * Failures in a row, of a kind that a connection to another server may end, after which it is renewed. Commands that
 * were under way together count once: a hundred leases may be claimed at the same moment.
 */
const RENEW_AFTER = 3;

export type ScriptName = keyof typeof scripts;

/** Put before each script: for tests, whose time is virtual. */
export type Prelude = () => string;

interface Primary {
  readonly run: string;
  readonly lacks: string;
}

const shas = Object.fromEntries(
  Object.entries(scripts).map(([name, text]) => [name, createHash('sha1').update(text).digest('hex')]),
) as Record<ScriptName, string>;

/** Runs scripts on the connection for commands, once each. */
export class ScriptRunner {
  readonly connection: Connection;
  readonly #streamKey: string;
  readonly #prelude: Prelude | undefined;
  #primary: Promise<Primary> | undefined;
  #failures = 0;
  #sent = 0;
  /** How many commands had been sent when a failure was last counted. */
  #sentAtFailure = 0;
  #everAnswered = false;

  constructor(redis: RedisClient, streamKey: string, around: Surroundings, prelude?: Prelude) {
    this.connection = new Connection(redis, around, HANDSHAKE_MS, () => this.#forgetPrimary());
    this.#streamKey = streamKey;
    this.#prelude = prelude;
  }

  /** Replies of a script on behalf of `replica`. */
  async run(name: ScriptName, replica: string, keys: string[], inputs: object[]): Promise<Fields[]> {
    await this.connection.opened();
    const nth = ++this.#sent;
    try {
      const { run, lacks } = await this.#knowPrimary();
      // Some scripts would do: the fleet would neither work nor be known to be away.
      if (lacks !== '') throw denied(lacks);
      const args = [{ replica, run }, ...inputs].map((arg) => JSON.stringify(arg));
      const reply = await this.#evaluate(name, COMMAND_MS, keys, args);
      this.#failures = 0;
      this.#everAnswered = true;
      return parseObjects(reply);
    } catch (error) {
      throw await this.#explain(toStoreError(error), nth);
    }
  }

  async #evaluate(name: ScriptName, ms: number, keys: string[], args: string[]): Promise<unknown> {
    const rest = [String(keys.length), ...keys, ...args];
    if (this.#prelude !== undefined)
      return this.connection.send(ms, 'eval', this.#prelude() + scripts[name], ...rest);
    try {
      return await this.connection.send(ms, 'evalsha', shas[name], ...rest);
    } catch (error) {
      if (!isUnknownScript(error)) throw error;
      return this.connection.send(HANDSHAKE_MS, 'eval', scripts[name], ...rest);
    }
  }

  #knowPrimary(): Promise<Primary> {
    if (this.#primary !== undefined) return this.#primary;
    const asked = this.#askPrimary();
    this.#primary = asked;
    asked.catch(() => {
      if (this.#primary === asked) this.#primary = undefined;
    });
    return asked;
  }

  // Asked by a script on our key: in a Cluster, that is how it reaches the server in charge of it.
  async #askPrimary(): Promise<Primary> {
    const ms = this.#everAnswered ? FIRST_COMMAND_MS : HANDSHAKE_MS;
    const [reply = {}] = parseObjects(await this.#evaluate('primary', ms, [this.#streamKey], []));
    return { run: textOf(reply.run), lacks: textOf(reply.lacks) };
  }

  #forgetPrimary(): void {
    this.#primary = undefined;
  }

  async #explain(error: StoreError, nth: number): Promise<StoreError> {
    if (error.reason === 'timeout' || isReadOnly(error)) this.#countFailure(nth);
    if (error.reason !== 'denied') return error;
    this.#forgetPrimary();
    const lacks = await this.#knowPrimary().then(
      (primary) => primary.lacks,
      () => '',
    );
    if (lacks === '') return error;
    return denied(lacks, error.cause);
  }

  #countFailure(nth: number): void {
    if (nth <= this.#sentAtFailure) return;
    this.#sentAtFailure = this.#sent;
    this.#failures += 1;
    if (this.#failures < RENEW_AFTER) return;
    this.#failures = 0;
    this.connection.renew();
  }
}

function denied(lacks: string, cause?: unknown): StoreError {
  return new StoreError('denied', `The Redis user lacks permission for: ${lacks}`, cause);
}

function isUnknownScript(error: unknown): boolean {
  return error instanceof StoreError && error.message.includes('NOSCRIPT');
}

function isReadOnly(error: StoreError): boolean {
  return error.reason === 'refused' && error.message.includes('READONLY');
}
