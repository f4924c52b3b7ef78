import type { Clock, Random } from '@healix/core/parts';
import type { Answer } from './world/attempt.ts';
import type { CallRequest } from './world/call-request.ts';
import type { Truth } from './world/truth.ts';

/** What a contender is given to work with. */
export interface ContenderWorld {
  readonly clock: Clock;
  readonly random: Random;
  /** The upstream's hosts by name. */
  readonly hosts: readonly string[];
  /**
   * Sends the request to the upstream. Rejects with a NetworkError, or with the signal's reason; the upstream goes on with
   * it all the same.
   *
   * @param host one of `hosts`; undefined leaves it to the upstream's own balancer, which goes round
   */
  send(host: string | undefined, request: CallRequest, signal?: AbortSignal): Promise<Answer>;
  /** What nobody can know: for the oracle alone, and in virtual time alone. */
  readonly truth: Truth | undefined;
}

/** A way of calling an upstream. */
export interface Contender {
  readonly name: string;
  /** What it is, with its settings and where they are from. */
  readonly about: string;
  /** Makes what calls the upstream: it resolves with its answer, or rejects. */
  make(world: ContenderWorld): (request: CallRequest) => Promise<Answer>;
}
