import type { Redis } from 'ioredis';

/** What Redis holds of one target of a service: the headers of the scripts say what it means. */
export class Stored {
  readonly #client: Redis;
  readonly #tag: string;
  readonly #target: string;

  constructor(client: Redis, service: string, target = 'upstream:shared') {
    this.#client = client;
    this.#tag = `{healix:v1:${service}}`;
    this.#target = target;
  }

  /** 0 where there is no record. */
  async epoch(): Promise<number> {
    return Number(await this.#client.hget(this.#key('t'), 'ep'));
  }

  async isOpen(): Promise<boolean> {
    return (await this.#client.hget(this.#key('t'), 'st')) === 'open';
  }

  /** What a person has decided: `''` where nobody holds it. */
  async forced(): Promise<string> {
    return (await this.#client.hget(this.#key('t'), 'f')) ?? '';
  }

  /** Replicas that hold a lease. */
  async probers(): Promise<string[]> {
    const leases = Object.values(await this.#client.hgetall(this.#key('l')));
    return leases.flatMap((lease) => (lease.endsWith(' held') ? [lease.split(' ')[0] as string] : []));
  }

  /** Failures in a row that `replica` has told of; 0 where it has told nothing. */
  async streakOf(replica: string): Promise<number> {
    const report = await this.#client.hget(this.#key('w'), replica);
    return Number(report?.split(' ')[3] ?? 0);
  }

  /** Replicas that have reported. */
  reporters(): Promise<string[]> {
    return this.#client.hkeys(this.#key('w'));
  }

  members(): Promise<string[]> {
    return this.#client.zrange(`${this.#tag}:m`, '0', '-1');
  }

  #key(kind: 't' | 'w' | 'l'): string {
    return `${this.#tag}:${kind}:${this.#target}`;
  }
}
