import { ConfigError } from '../../errors.ts';
import { version } from './scripts.ts';

export interface RedisStoreOptions {
  /** What the names of all keys begin with, after a brace. Default: `healix`. */
  readonly prefix?: string;
}

const NAME = /^[^{}\s]{1,200}$/;

/** Names of a fleet's keys. They share a hash tag, hence a slot: a script may touch any of them. */
export class FleetKeys {
  readonly stream: string;
  readonly #fleet: readonly string[];
  readonly #tag: string;

  constructor(service: string, { prefix = 'healix' }: RedisStoreOptions) {
    this.#tag = `{${checkName('prefix', prefix)}:v${version}:${checkName('service', service)}}`;
    this.stream = `${this.#tag}:s`;
    this.#fleet = ['s', 'm', 'i', 'o', 'f'].map((suffix) => `${this.#tag}:${suffix}`);
  }

  /** All that a script on these targets takes, in the order that record.lua tells. */
  of(targets: readonly string[]): string[] {
    const own = (target: string) => ['t', 'w', 'l'].map((suffix) => `${this.#tag}:${suffix}:${target}`);
    return [...this.#fleet, ...targets.flatMap(own)];
  }
}

function checkName(option: string, given: unknown): string {
  if (typeof given === 'string' && NAME.test(given)) return given;
  throw new ConfigError(`redisStore.${option}`, given, '1 to 200 characters, no blank and no brace');
}
