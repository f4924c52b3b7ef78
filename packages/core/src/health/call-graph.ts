/** What is behind the trouble of a route, as far as its requests tell. */
export interface CallCause {
  readonly upstream: string;
  /** Share of the route's bad requests that were bad because of this upstream. */
  readonly share: number;
}

export interface CallGraphOptions {
  /** After so many ms a request weighs half. Default: 10000. */
  halfLifeMs?: number | undefined;
  /** Routes past this number take the place of those that were seen first. Default: 1000. */
  maxRoutes?: number | undefined;
  /** Upstreams of one route past this number take the place of the one that it calls least. Default: 16. */
  maxUpstreams?: number | undefined;
}

interface Weights {
  calls: number;
  bad: number;
}

interface Node extends Weights {
  at: number;
  readonly upstreams: Map<string, Weights>;
}

/** Weights are brought up to date at most so often. */
const DECAY_MS = 1_000;
/** Fewer bad requests than this are chance. */
const ENOUGH = 2;
/** Whoever is behind this share of the bad requests is the cause. */
const MOST = 0.5;

/**
 * Which routes call which upstreams, and how many of a route's bad requests were bad because of which: a weighted
 * graph of calls (after Sherlock, Bahl et al., SIGCOMM 2007), but with each request's own word in the place of inference, since
 * the calls of a request are known. Old requests fade.
 */
export class CallGraph {
  readonly #halfLifeMs: number;
  readonly #maxRoutes: number;
  readonly #maxUpstreams: number;
  readonly #routes = new Map<string, Node>();

  constructor({ halfLifeMs = 10_000, maxRoutes = 1_000, maxUpstreams = 16 }: CallGraphOptions = {}) {
    this.#halfLifeMs = halfLifeMs;
    this.#maxRoutes = maxRoutes;
    this.#maxUpstreams = maxUpstreams;
  }

  /**
   * Notes one request that is over.
   *
   * @param called the upstreams that it called
   * @param bad whether it failed, or was slow
   * @param cause the one of them that is behind that
   * @param weight how many requests it stands for
   */
  note(
    route: string,
    called: readonly string[],
    bad: boolean,
    cause: string | undefined,
    now: number,
    weight = 1,
  ): void {
    if (called.length === 0 && !this.#routes.has(route)) return;
    const node = this.#nodeOf(route, now);
    node.calls += weight;
    if (bad) node.bad += 1;
    for (const upstream of called) this.#edgeOf(node, upstream).calls += weight;
    if (bad && cause !== undefined) this.#edgeOf(node, cause).bad += 1;
  }

  /** The upstreams of a route, with the share of its requests that call each. */
  upstreamsOf(route: string): ReadonlyMap<string, number> {
    const node = this.#routes.get(route);
    if (node === undefined) return new Map();
    return new Map([...node.upstreams].map(([name, { calls }]) => [name, Math.min(1, calls / node.calls)]));
  }

  /** The upstream that is behind at least half of the route's bad requests. */
  causeOf(route: string, now: number): CallCause | undefined {
    const node = this.#routes.get(route);
    if (node === undefined) return undefined;
    this.#fade(node, now);
    if (node.bad < ENOUGH) return undefined;
    let cause: CallCause | undefined;
    for (const [upstream, { bad }] of node.upstreams) {
      const share = bad / node.bad;
      if (share >= Math.max(MOST, cause?.share ?? 0)) cause = { upstream, share };
    }
    return cause;
  }

  forget(route: string): void {
    this.#routes.delete(route);
  }

  #nodeOf(route: string, now: number): Node {
    const known = this.#routes.get(route);
    if (known !== undefined) {
      this.#fade(known, now);
      return known;
    }
    if (this.#routes.size >= this.#maxRoutes) {
      const [first] = this.#routes.keys();
      this.#routes.delete(first as string);
    }
    const node: Node = { at: now, calls: 0, bad: 0, upstreams: new Map() };
    this.#routes.set(route, node);
    return node;
  }

  #edgeOf({ upstreams }: Node, name: string): Weights {
    const known = upstreams.get(name);
    if (known !== undefined) return known;
    if (upstreams.size >= this.#maxUpstreams) {
      const [[least]] = [...upstreams].sort(([, a], [, b]) => a.calls - b.calls) as [[string, Weights]];
      upstreams.delete(least);
    }
    const edge: Weights = { calls: 0, bad: 0 };
    upstreams.set(name, edge);
    return edge;
  }

  #fade(node: Node, now: number): void {
    const passed = now - node.at;
    if (passed < DECAY_MS) return;
    node.at = now;
    const share = 2 ** (-passed / this.#halfLifeMs);
    for (const weights of [node, ...node.upstreams.values()]) {
      weights.calls *= share;
      weights.bad *= share;
    }
  }
}
