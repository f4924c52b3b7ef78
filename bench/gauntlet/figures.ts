/**
 * The harness's figures: what holds for every scenario that says nothing else. Written before any result was
 * known, so that no contender is favoured by them.
 */
export const FIGURES = {
  /** Hosts of the upstream, and requests that each works on at once. */
  hosts: 4,
  serversPerHost: 5,
  /** Requests that may wait at a host; more are answered 503 at once. */
  queuePerHost: 300,
  /** Service time: log-normal, so that 4 hosts of 5 servers do 500 a second. */
  serviceMs: 40,
  sigma: 0.5,
  /** An error is found after this share of the service time. */
  errorCost: 0.5,
  /** A round trip on the network, paid with the answer. */
  networkMs: 1,
  /** Requests a second, in a Poisson process: half of what the upstream can do. */
  perSecond: 250,
  /** A caller is gone so long after the request. */
  deadlineMs: 1_000,
  idempotentShare: 0.8,
  /** Shares of the priorities. */
  priorities: { critical: 0.1, high: 0.2, normal: 0.5, low: 0.2 },
  /** Routes of the upstream; the first has this share of the requests, the others the rest in equal parts. */
  routes: 10,
  firstRouteShare: 0.3,
  /** Healthy traffic before the fault. */
  warmUpMs: 10_000,
  /** Length of a fault. */
  faultMs: 20_000,
  /** A fault, and all that happens in it, is longer or shorter by up to this share from seed to seed: no open time fits it. */
  stretch: 0.1,
  /** The window of the measures ends so long after the fault. */
  afterMs: 10_000,
  /** A user whose request failed asks again so often, after a random time up to `userRetryMs`. */
  userRetries: 3,
  userRetryMs: 1_000,
  /** Recovered: this share of the share of good answers before the fault, held for so long. */
  recoveredShare: 0.95,
  recoveredForMs: 3_000,
} as const;

export type Priority = keyof typeof FIGURES.priorities;
