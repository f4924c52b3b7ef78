import type { CircuitState } from '@healix/core';
import type { Fault, UpstreamName } from './schedule.ts';

/** What a client saw of one request. `degraded`: a good answer in time, but a substitute's. */
export type Verdict = 'full' | 'degraded' | 'error' | 'late';

export type Variant = 'with' | 'without';
export const VARIANTS: readonly Variant[] = ['with', 'without'];

export interface Sample {
  /** The service that was asked, by its name in the order. */
  readonly service: string;
  /** When the request was due, in ms since the load began. */
  readonly at: number;
  /** Ms from then until the answer, or until the client gave up. */
  readonly ms: number;
  readonly verdict: Verdict;
}

/** What the healed service tells of its healing. */
export interface Told {
  readonly target: string;
  readonly text: string;
  readonly kind: 'circuit' | 'recovery';
}

/** From the main process to its children. */
export type Order = { readonly type: 'fault'; readonly fault: Fault } | ({ readonly type: 'load' } & Load);

/** Requests that are to be sent. */
export interface Load {
  /** Their URLs, by name. */
  readonly services: Readonly<Record<string, string>>;
  /** `all`: each request goes to every service. `one`: to one after the other, as behind a load balancer. */
  readonly each: 'all' | 'one';
  /** Requests a second. */
  readonly rate: number;
  /** Share of requests that look at a product; the others buy one. */
  readonly productShare: number;
  readonly forMs: number;
}

/** From the children to the main process. */
export type Report =
  | { readonly type: 'ready'; readonly url: string }
  | { readonly type: 'failed'; readonly why: string }
  | { readonly type: 'samples'; readonly samples: readonly Sample[] }
  | { readonly type: 'told'; readonly told: Told }
  | { readonly type: 'fault'; readonly upstream: UpstreamName; readonly fault: Fault }
  | ({ readonly type: 'arrived' } & Arrival)
  | ({ readonly type: 'moved' } & Moved)
  | { readonly type: 'done' };

/** A request has reached an upstream. */
export interface Arrival {
  readonly caller: string;
  /** Whether it was to find out if the upstream lives. */
  readonly isProbe: boolean;
  readonly isDead: boolean;
}

/** The circuit of a replica has changed. */
export interface Moved {
  readonly replica: string;
  readonly to: CircuitState;
  readonly reason: string;
  /** Ms since 1970, with fractions: by the clock that all processes share. */
  readonly at: number;
}
