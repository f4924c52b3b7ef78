import type { ProbeVerdict } from '../circuit/trial.ts';
import type { Lease } from './leased-trial.ts';
import type { SharedTarget } from './shared-target.ts';

/** A verdict is told so long before its lease ends. */
const TELL_AHEAD_MS = 300;

/**
 * A circuit that is closed here, by its own probes, while the fleet still holds it open: its calls are the probe. One
 * that works is enough while none fails. Failures count as they do for the circuit: by their share.
 */
export class Vouching {
  readonly #target: SharedTarget;
  /** Undefined: it does not vouch. */
  lease: Lease | undefined;
  #before = { success: 0, failure: 0, overload: 0, slow: 0 };

  constructor(target: SharedTarget) {
    this.#target = target;
  }

  begin(lease: Lease): void {
    const { success, failure, overload, slow } = this.#target.monitor;
    this.lease = lease;
    this.#before = { success, failure, overload, slow };
  }

  /** Whether it vouches, and a call has ended since. */
  get hasCalls(): boolean {
    if (this.lease === undefined) return false;
    const { calls, overload } = this.#since();
    return calls + overload > 0;
  }

  /** What the calls since then come to; undefined while they say too little, and there is time for more. */
  verdictAt(now: number): ProbeVerdict | undefined {
    const { lease } = this;
    if (lease === undefined) return undefined;
    const { breaker } = this.#target;
    if (breaker.tripped) return 'failed';
    if (breaker.stateAt(now) !== 'closed') return 'unused';
    const { calls, failure, overload, slow } = this.#since();
    if (calls > 0 && failure + slow === 0) return 'succeeded';
    const { minimumCalls, failureRate, slowCallRate } = breaker.settings;
    if (calls < minimumCalls && now < lease.endsAt - TELL_AHEAD_MS) return undefined;
    if (calls === 0) return overload > 0 ? 'failed' : 'unused';
    return failure >= failureRate * calls || slow >= slowCallRate * calls ? 'failed' : 'succeeded';
  }

  #since() {
    const { monitor } = this.#target;
    const success = monitor.success - this.#before.success;
    const failure = monitor.failure - this.#before.failure;
    const overload = monitor.overload - this.#before.overload;
    const slow = monitor.slow - this.#before.slow;
    return { calls: success + failure, failure, overload, slow };
  }
}
