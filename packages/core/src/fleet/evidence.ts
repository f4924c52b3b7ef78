import type { CircuitBreaker } from '../circuit/breaker.ts';
import { longestStreak } from '../circuit/trip-rules/consecutive-failures.ts';
import type { CircuitSettings } from '../config/schema.ts';
import type { HealthMonitor } from '../health/monitor.ts';
import type { TripTerms } from '../store/store.ts';

/** Evidence that stays the same is told again for as long, so that the fleet can decide upon it. */
const FRESH_MS = 1_000;
const AGAIN_MS = 500;
/** What opened a circuit that has had no call for so long is told no more. */
const STALE_MS = 600_000;
/** Failures in a row that are worth telling. */
const LEAST_STREAK = 2;
/** Share of the replicas with reports that must have trouble of their own before the fleet opens a circuit. */
const QUORUM = 0.5;

/** What a replica has seen of a target, for the fleet. */
export interface Seen {
  readonly calls: number;
  readonly failures: number;
  readonly streak: number;
  readonly open: boolean;
}

/**
 * Decides when a replica's window on a target is worth telling: when it fails at half the rate that would open the
 * circuit, or in a row, when it has opened here, and when the fleet asks. A healthy replica is silent.
 */
export class Evidence {
  readonly #breaker: CircuitBreaker;
  readonly #monitor: HealthMonitor;
  #bad = 0;
  #frozen: Seen | undefined;
  #asked = false;
  #insists = false;
  #changedAt = Number.NEGATIVE_INFINITY;
  #toldAt = Number.NEGATIVE_INFINITY;

  constructor(breaker: CircuitBreaker, monitor: HealthMonitor) {
    this.#breaker = breaker;
    this.#monitor = monitor;
  }

  /** True while there is something to tell again and again. */
  get insists(): boolean {
    return this.#insists;
  }

  /** The fleet asks for reports. */
  ask(): void {
    this.#asked = true;
  }

  /** The circuit has opened here by its own rules: what opened it is kept. */
  freeze(now: number): void {
    this.#frozen = { ...this.#count(now), open: true };
    this.#changedAt = now;
    this.#insists = true;
  }

  thaw(): void {
    this.#frozen = undefined;
  }

  /** What is to be told now, if anything. */
  take(now: number): Seen | undefined {
    const bad = this.#monitor.failure + this.#monitor.overload + this.#monitor.slow;
    if (bad !== this.#bad) {
      this.#bad = bad;
      this.#changedAt = now;
      this.#insists = true;
    }
    if (!this.#asked && !this.#insists) return undefined;
    const seen = this.#frozen ?? this.#count(now);
    this.#insists = this.#isTrouble(seen, now - this.#changedAt);
    const isDue = this.#insists && (now - this.#changedAt < FRESH_MS || now - this.#toldAt >= AGAIN_MS);
    if (!isDue && !(this.#asked && seen.calls > 0)) return undefined;
    this.#asked = false;
    this.#toldAt = now;
    return seen;
  }

  #isTrouble({ calls, failures, streak, open }: Seen, sinceMs: number): boolean {
    const { failureRate, consecutiveWithinMs } = this.#breaker.settings;
    if (open) return sinceMs < STALE_MS;
    if (failures > 0 && failures / calls >= failureRate / 2) return true;
    return streak >= LEAST_STREAK && sinceMs < consecutiveWithinMs;
  }

  #count(now: number): Seen {
    const { calls, failures, slow } = this.#breaker.countsAt(now);
    return {
      calls,
      failures: Math.min(calls, Math.max(failures, slow)),
      streak: this.#breaker.streak,
      open: false,
    };
  }
}

export function tripTermsOf(settings: CircuitSettings): TripTerms {
  const { failureRate, minimumCalls, windowMs } = settings;
  const streak = longestStreak(settings);
  const hash = fnv1a(`${failureRate},${minimumCalls},${streak},${windowMs}`).toString(36);
  return { failureRate, minimumCalls, streak, windowMs, quorum: QUORUM, hash };
}

/** FNV-1a, 32 bits (Fowler, Noll, Vo). */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
