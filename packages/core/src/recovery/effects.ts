import { type Incident, type IncidentReport, provedIn } from '../telemetry/incidents.ts';

/** A strategy that was tried this often for a kind of anomaly, and never helped, is passed over... */
const TRIES_BEFORE_DOUBT = 3;
/** ...but in every so-many-th incident. */
const SECOND_CHANCE = 5;

interface Effect {
  tried: number;
  proved: number;
  passedOver: number;
  /** The incident that it was passed over in last. */
  incident: Incident | undefined;
}

/** What is known of the recovery strategies at one target: which were tried, and which helped. It outlives tiers. */
export class StrategyEffects {
  readonly #effects = new Map<string, Effect>();

  /** Whether a strategy is worth trying for that kind of anomaly in this incident. */
  deserves(kind: string, strategy: string, incident: Incident): boolean {
    const effect = this.#of(kind, strategy);
    if (effect.proved > 0 || effect.tried < TRIES_BEFORE_DOUBT) return true;
    if (effect.incident !== incident) effect.passedOver++;
    effect.incident = incident;
    return effect.passedOver % SECOND_CHANCE === 0;
  }

  /** Counts, from an incident's story, which strategies were tried and which had helped in their time. */
  learn({ anomaly, timeline }: IncidentReport): void {
    const proved = provedIn(timeline);
    for (const { what, strategy } of timeline) {
      if (strategy === undefined) continue;
      if (what === 'responded') this.#of(anomaly.kind, strategy).tried++;
      if (what === 'verified' && proved.has(strategy)) this.#of(anomaly.kind, strategy).proved++;
    }
  }

  #of(kind: string, strategy: string): Effect {
    const key = `${kind} ${strategy}`;
    const effect = this.#effects.get(key) ?? { tried: 0, proved: 0, passedOver: 0, incident: undefined };
    this.#effects.set(key, effect);
    return effect;
  }
}
