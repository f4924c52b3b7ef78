import type { SharedCircuit } from './shared-circuit.ts';

/** Fewer things than this that are called say nothing about the caller. */
const LEAST_TARGETS = 3;
/** Once is chance. */
const LEAST_FAILURES = 2;

/**
 * When more than half of unrelated upstreams fail here at once, it is this process that is the suspect: its network, its
 * clock, its event loop. It tells the fleet nothing then, which would only open circuits for the others.
 */
export class SelfSuspicion {
  suspected = false;

  look(circuits: Iterable<SharedCircuit>, now: number): void {
    let used = 0;
    let failing = 0;
    for (const { target } of circuits) {
      const { breaker } = target;
      if (breaker.forced !== null || breaker.isFleets) continue;
      const { calls, failures } = breaker.countsAt(now);
      if (calls === 0 && !breaker.tripped) continue;
      used++;
      // In a row, too: a window full of successes says for long that all is well.
      const isFailing = failures >= LEAST_FAILURES && failures / calls >= breaker.settings.failureRate;
      if (breaker.tripped || isFailing || breaker.streak >= LEAST_FAILURES) failing++;
    }
    this.suspected = used >= LEAST_TARGETS && failing > used / 2;
  }
}
