/** What may be wrong with an upstream. */
export type Fault =
  | { readonly kind: 'none' }
  /** This share of its requests is answered with 500. */
  | { readonly kind: 'errors'; readonly share: number }
  /** It takes requests and never answers them. */
  | { readonly kind: 'hang' };

export type UpstreamName = 'payments' | 'catalog';

export interface Phase {
  /** Ms since the load began. */
  readonly from: number;
  readonly to: number;
  readonly upstream: UpstreamName;
  readonly fault: Fault;
  readonly title: string;
}

export const LENGTH_MS = 20_000;

/** At all other times both upstreams are well. */
export const schedule: readonly Phase[] = [
  {
    from: 2_000,
    to: 13_000,
    upstream: 'payments',
    fault: { kind: 'hang' },
    title: 'payments hangs: it takes requests and answers none',
  },
  {
    from: 14_500,
    to: 17_000,
    upstream: 'catalog',
    fault: { kind: 'errors', share: 0.5 },
    title: 'catalog answers half of its requests with 500',
  },
];

export function phaseAt(ms: number): Phase | undefined {
  return schedule.find(({ from, to }) => ms >= from && ms < to);
}
