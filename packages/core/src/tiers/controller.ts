import { type TierName, tierBeside } from '../config/tier-names.ts';
import { type TierRange, withinRange } from '../config/tier-schema.ts';
import { type IncidentReport, sinceTier } from '../telemetry/incidents.ts';

export interface TierMove {
  readonly tier: TierName;
  readonly reason: string;
}

const MOST_PATIENCE = 8;

/**
 * Moves one target between tiers by need: up by one when what the present tier has done did not prove itself, or when
 * incidents recur; down by one after a long calm. Between two moves lies a dwell time; a target that has to come back
 * up soon after it went down is left there for twice as long, up to eight times: up and down do not alternate.
 */
export class TierController {
  #tier: TierName | undefined;
  #movedAt = Number.NEGATIVE_INFINITY;
  #cameDownAt = Number.NEGATIVE_INFINITY;
  #calmSince: number;
  #patience = 1;
  #incident: string | undefined;
  #incidentsAt: number[] = [];

  /** @param now monotonic ms */
  constructor(now: number) {
    this.#calmSince = now;
  }

  /**
   * The move to make now, if there is one. It is proposed again until the target is found in another tier.
   *
   * @param tier the one that the target is in
   * @param incident the one under way, if any
   * @param now monotonic ms
   */
  look(
    tier: TierName,
    range: TierRange,
    incident: IncidentReport | undefined,
    now: number,
  ): TierMove | undefined {
    if (tier !== this.#tier) this.#arrive(tier, range, now);
    if (incident !== undefined) this.#notice(incident, range, now);
    if (now - this.#movedAt < range.dwellMs) return undefined;
    const need = incident && (whyUnproven(incident) ?? this.#whyRecurring(range, now));
    if (need !== undefined) return step(tier, 1, range, need);
    const calmMs = now - Math.max(this.#calmSince, this.#movedAt);
    if (incident !== undefined || calmMs < range.calmMs * this.#patience) return undefined;
    return step(tier, -1, range, `no trouble for ${Math.round(calmMs / 1_000)} s`);
  }

  #arrive(tier: TierName, range: TierRange, now: number): void {
    const before = this.#tier;
    this.#tier = tier;
    if (before === undefined) return;
    this.#movedAt = now;
    this.#incidentsAt = [];
    if (tierBeside(tier, 1) === before) this.#cameDownAt = now;
    else if (now - this.#cameDownAt < range.calmMs)
      this.#patience = Math.min(MOST_PATIENCE, this.#patience * 2);
    else this.#patience = 1;
  }

  #notice(incident: IncidentReport, { recurring }: TierRange, now: number): void {
    this.#calmSince = now;
    if (incident.id === this.#incident) return;
    this.#incident = incident.id;
    this.#incidentsAt.push(now);
    if (this.#incidentsAt.length > recurring) this.#incidentsAt.shift();
  }

  #whyRecurring({ recurring, recurringMs }: TierRange, now: number): string | undefined {
    const since = this.#incidentsAt.at(-recurring);
    if (since === undefined || this.#incidentsAt.length < recurring || now - since > recurringMs)
      return undefined;
    return `${recurring} incidents within ${Math.round((now - since) / 1_000)} s`;
  }
}

/** What the present tier has done in vain. That looking on has not helped says nothing of it. */
function whyUnproven({ id, status, timeline }: IncidentReport): string | undefined {
  if (status === 'gave-up') return `incident ${id}: all was tried in vain`;
  const failed = sinceTier(timeline).find(
    ({ what, level }) => what === 'unproven' && level !== undefined && level > 0,
  );
  return failed && `incident ${id}: ${failed.strategy} did not prove itself`;
}

function step(tier: TierName, steps: 1 | -1, range: TierRange, reason: string): TierMove | undefined {
  const beside = tierBeside(tier, steps);
  if (beside === undefined || withinRange(beside, range) !== beside) return undefined;
  return { tier: beside, reason };
}
