import type { CircuitBreaker } from '../circuit/breaker.ts';
import type { TargetSettings } from '../config/schema.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { OpenTerms } from '../store/store.ts';
import type { Random } from '../time/random.ts';

/** A target, as the fleet sees it. */
export interface SharedTarget {
  readonly name: string;
  readonly breaker: CircuitBreaker;
  readonly monitor: HealthMonitor;
  readonly settings: TargetSettings;
}

export function openTermsOf({ breaker, settings }: SharedTarget, random: Random, now: number): OpenTerms {
  const { openMs, maxOpenMs } = settings.circuit;
  return { openMs, maxOpenMs, noticeMs: breaker.noticeLeftMs(now), chance: random.next() };
}

/** A random name: for epochs, leases and replicas. */
export function makeId(random: Random): string {
  const part = () => Math.floor(random.next() * 2 ** 52).toString(36);
  return `${part()}${part()}`;
}
