import { CircuitBreaker } from '../../../packages/core/src/circuit/breaker.ts';
import type { CircuitTransition } from '../../../packages/core/src/circuit/circuit-machine.ts';
import type { Outcome, TargetOptions } from '../../../packages/core/src/config/schema.ts';
import { resolveTarget } from '../../../packages/core/src/config/settings.ts';
import type { SharedTarget } from '../../../packages/core/src/fleet/shared-target.ts';
import { HealthMonitor } from '../../../packages/core/src/health/monitor.ts';
import type { Clock } from '../../../packages/core/src/time/clock.ts';

/** A target whose calls the test makes. It does not ramp up, and its chance is 0.5. */
export class DrivenTarget implements SharedTarget {
  readonly name: string;
  readonly settings: SharedTarget['settings'];
  readonly breaker: CircuitBreaker;
  readonly monitor = new HealthMonitor();
  readonly transitions: CircuitTransition[] = [];
  readonly #clock: Clock;

  constructor(clock: Clock, name = 'upstream:t', options: TargetOptions = {}) {
    this.name = name;
    this.#clock = clock;
    this.settings = resolveTarget([{ circuit: { rampMs: 0 } }, options], name);
    this.breaker = new CircuitBreaker(this.settings.circuit, {
      clock,
      random: { next: () => 0.5 },
      onTransition: (transition) => this.transitions.push(transition),
    });
  }

  get state() {
    return this.breaker.state;
  }

  /** One call; 0 where it was refused. */
  begin(): number {
    const token = this.breaker.tryAcquire();
    if (token === 0) this.monitor.refused++;
    return token;
  }

  end(token: number, outcome: Outcome, latencyMs = 1): void {
    const now = this.#clock.now();
    this.monitor.record(outcome, latencyMs, false, 1, now);
    this.breaker.record(token, outcome, latencyMs, now);
  }

  /** So many calls, one after the other. */
  calls(count: number, outcome: Outcome, latencyMs = 1): void {
    for (let i = 0; i < count; i++) {
      const token = this.begin();
      if (token !== 0) this.end(token, outcome, latencyMs);
    }
  }
}
