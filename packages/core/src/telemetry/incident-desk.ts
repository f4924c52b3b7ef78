import type { Anomaly } from '../health/anomaly.ts';
import type { EventHub } from './events.ts';
import type { IncidentEntry, IncidentLog, IncidentReport } from './incidents.ts';

/** Goes on with the stories of incidents, and tells of each line. */
export class IncidentDesk {
  readonly #incidents: IncidentLog;
  readonly #events: EventHub;

  constructor(incidents: IncidentLog, events: EventHub) {
    this.#incidents = incidents;
    this.#events = events;
  }

  /** Opens an incident of the target where there is none. */
  open(target: string, anomaly: Anomaly, at: number): void {
    if (this.#incidents.openOf(target) !== undefined) return;
    const incident = this.#incidents.open(target, anomaly, at);
    this.tell(incident.report(), incident.timeline[0] as IncidentEntry);
  }

  /** Adds a line to the incident under way of the target, if there is one. */
  add(target: string, entry: IncidentEntry): void {
    const incident = this.#incidents.openOf(target);
    if (incident === undefined) return;
    incident.level = Math.max(incident.level, entry.level ?? 0);
    incident.add(entry);
    this.tell(incident.report(), entry);
  }

  /** Tells of a line that was added. */
  tell(incident: IncidentReport, entry: IncidentEntry): void {
    const { target } = incident;
    const { at } = entry;
    this.#events.publish('incident', { target, at, entry, incident });
    if (entry.what !== 'recovered') return;
    this.#events.publish('recovered', { target, at, incident, tookMs: at - incident.openedAt });
  }
}
