import type { TierName } from '../config/tier-names.ts';
import { type IncidentEntry, type IncidentReport, provedIn, sinceTier } from '../telemetry/incidents.ts';

/** What one tier is used for, what it costs, and what it achieves, since the runtime was made. */
export interface TierReport {
  /** Targets that are in it now. */
  readonly targets: number;
  /** How long targets with traffic have been in it, in ms, summed over them. */
  readonly targetMs: number;
  /** Ms that the control loop has spent on them. */
  readonly loopMs: number;
  /** Incidents that began in it or were handed to it. */
  readonly incidents: number;
  /** Those that ended in it, in health. */
  readonly recovered: number;
  /** Those that it handed to another tier. */
  readonly handedOver: number;
  /** Share of those that ended in it or were handed on in which something that it did proved itself; undefined while there are none. */
  readonly verifiedShare: number | undefined;
  /** Mean ms from the first anomaly to recovery, of those that ended in it; undefined while there are none. */
  readonly timeToRecoverMs: number | undefined;
}

const NOTHING = { targetMs: 0, loopMs: 0, incidents: 0, recovered: 0, handedOver: 0, verified: 0, tookMs: 0 };

/** Counts what each tier is used for, costs and achieves. */
export class TierUsage {
  readonly #tiers = new Map<TierName, typeof NOTHING>();

  /** A target with traffic was in the tier for `targetMs`, and the loop spent `loopMs` on it. */
  spend(tier: TierName, targetMs: number, loopMs: number): void {
    const counts = this.#of(tier);
    counts.targetMs += targetMs;
    counts.loopMs += loopMs;
  }

  /** A line was added to an incident that the tier is healing. */
  note(tier: TierName, incident: IncidentReport, { what }: IncidentEntry): void {
    if (what !== 'anomaly' && what !== 'recovered') return;
    const counts = this.#of(tier);
    if (what === 'anomaly') counts.incidents++;
    if (what !== 'recovered') return;
    counts.recovered++;
    if (provedIn(sinceTier(incident.timeline)).size > 0) counts.verified++;
    counts.tookMs += (incident.endedAt ?? incident.openedAt) - incident.openedAt;
  }

  /** An incident under way is another tier's from here on. */
  handOver(from: TierName, to: TierName): void {
    this.#of(from).handedOver++;
    this.#of(to).incidents++;
  }

  /** @param targets how many targets are in each tier now */
  report(targets: ReadonlyMap<TierName, number>): Readonly<Record<string, TierReport>> {
    const names = new Set([...this.#tiers.keys(), ...targets.keys()]);
    return Object.fromEntries([...names].map((name) => [name, this.#reportOf(name, targets.get(name) ?? 0)]));
  }

  #reportOf(name: TierName, targets: number): TierReport {
    const { verified, tookMs, ...counts } = this.#of(name);
    const { recovered, handedOver } = counts;
    const over = recovered + handedOver;
    return {
      targets,
      ...counts,
      verifiedShare: over === 0 ? undefined : verified / over,
      timeToRecoverMs: recovered === 0 ? undefined : tookMs / recovered,
    };
  }

  #of(tier: TierName): typeof NOTHING {
    const counts = this.#tiers.get(tier) ?? { ...NOTHING };
    this.#tiers.set(tier, counts);
    return counts;
  }
}
