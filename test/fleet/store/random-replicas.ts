import type { Claim, FleetView, Store } from '../../../packages/core/src/store/store.ts';
import { type Call, type On, REPLICAS } from './random-steps.ts';

const NOTHING: Omit<FleetView, 'target'> = {
  epoch: 0,
  epochId: '',
  state: 'closed',
  remainingMs: 0,
  openMs: 0,
  openings: 0,
  forced: null,
  forcedVersion: 0,
  forcedToken: '',
  reporters: 0,
};

const nameOf = (target: number) => `upstream:${target}`;

type Put = (store: Store) => Promise<unknown>;

/** Replicas that remember what they were told, and forget nothing that they have used. */
export class RandomReplicas {
  /** What each of them was told last, and what is so now. */
  readonly #known: Map<string, FleetView>[] = Array.from({ length: REPLICAS }, () => new Map());
  readonly #current = new Map<string, FleetView>();
  readonly #tokens = ['p'];
  /** What was granted, the latest first. */
  readonly #leases: { target: string; epochId: string; token: string }[] = [];
  readonly #forceTokens = ['f'];
  #claimed = { target: '', epochId: '', token: '' };
  #serial = 0;

  /** A call, with the names and ids that it has whichever store it is put to. */
  put(call: Call): Put {
    const replica = `replica${call.replica}`;
    switch (call.op) {
      case 'snapshot':
        return (store) => store.snapshot(call.targets.map(nameOf));
      case 'heartbeat':
        return (store) => store.heartbeat(replica);
      case 'leave':
        return (store) => store.leave(replica);
      case 'report':
        return this.#report(replica, call);
      case 'claim':
      case 'renew':
        return this.#claim(replica, call);
      case 'settle':
        return this.#settle(replica, call);
      case 'seed':
        return this.#seed(replica, call);
      case 'force':
        return this.#force(replica, call);
    }
  }

  /** Takes in what was answered to the last call. */
  learn({ op, replica }: Call, views: readonly FleetView[], leaseMs: unknown): void {
    for (const view of views) {
      this.#known[replica]?.set(view.target, view);
      this.#current.set(view.target, view);
    }
    if (op === 'claim' && leaseMs !== undefined) this.#leases.unshift(this.#claimed);
  }

  /** How long a target is still open, as it was told last. */
  remainingMs(target: number): number {
    return this.#current.get(nameOf(target))?.remainingMs ?? 0;
  }

  #report(replica: string, call: Call & { op: 'report' }): Put {
    const { terms, openTerms } = call;
    const nextId = this.#make('e');
    const reports = call.windows.map(({ target, epoch, ...window }) => {
      const view = this.#view({ replica: call.replica, target, epoch });
      return {
        ...window,
        target: view.target,
        epoch: view.epoch,
        epochId: view.epochId,
        terms,
        openTerms,
        nextId,
      };
    });
    return (store) => store.report(replica, reports);
  }

  #claim(replica: string, call: Call & { op: 'claim' | 'renew' }): Put {
    if (call.op === 'claim' && call.token < 0) this.#tokens.unshift(this.#make('p'));
    const { target, epochId, token } = call.op === 'claim' ? this.#probe(call) : this.#lease(call);
    const { timeoutMs, marginMs } = call;
    const { probes, defer } = call.op === 'claim' ? call : { probes: 1, defer: false };
    const nextId = this.#make('e');
    this.#claimed = { target, epochId, token };
    const wish: Claim = { target, epochId, token, probes, timeoutMs, marginMs, defer, nextId };
    return (store) => store[call.op](replica, wish);
  }

  #settle(replica: string, call: Call & { op: 'settle' }): Put {
    const { target, epochId, token } = this.#lease(call);
    const { verdict, openTerms } = call;
    const nextId = this.#make('e');
    return (store) => store.settle(replica, { target, epochId, token, verdict, openTerms, nextId });
  }

  #seed(replica: string, call: Call & { op: 'seed' }): Put {
    const view = this.#view(call);
    const { maxOpenMs, remainingMs, forced } = call;
    const told: FleetView = {
      ...view,
      epoch: Math.max(1, view.epoch + call.ahead),
      state: call.state === 'same' ? view.state : call.state,
      remainingMs,
      forcedVersion: Math.max(0, view.forcedVersion + call.forcedAhead),
      ...(call.forcedAhead > 0 ? { forced, forcedToken: this.#make('s') } : {}),
    };
    const nextId = this.#make('e');
    return (store) => store.seed(replica, [{ view: told, maxOpenMs, nextId }]);
  }

  #force(replica: string, call: Call & { op: 'force' }): Put {
    const { target, forcedVersion } = this.#view(call);
    if (!call.again) this.#forceTokens.unshift(this.#make('f'));
    const token = this.#forceTokens[0] as string;
    const baseVersion = Math.max(0, forcedVersion - call.behind);
    const nextId = this.#make('e');
    return (store) => store.force(replica, { target, state: call.state, token, baseVersion, nextId });
  }

  #view({ replica, target, epoch }: On): FleetView {
    const known = epoch === 'known' ? this.#known[replica] : this.#current;
    const view = known?.get(nameOf(target)) ?? { ...NOTHING, target: nameOf(target) };
    return epoch === 'foreign' ? { ...view, epochId: 'foreign' } : view;
  }

  #probe(call: On & { token: number }): { target: string; epochId: string; token: string } {
    const { target, epochId } = this.#view(call);
    return { target, epochId, token: this.#tokens[Math.max(0, call.token) % this.#tokens.length] as string };
  }

  #lease(call: On & { token: number; lease: boolean }): { target: string; epochId: string; token: string } {
    const lease = call.lease ? this.#leases[call.token] : undefined;
    return lease ?? this.#probe(call);
  }

  #make(kind: string): string {
    return `${kind}${this.#serial++}`;
  }
}
