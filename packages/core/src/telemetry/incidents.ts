import { ConfigError } from '../errors.ts';
import type { Anomaly } from '../health/anomaly.ts';
import type { Random } from '../time/random.ts';

export type IncidentStatus = 'open' | 'gave-up' | 'recovered';

/** One line of an incident's story. */
export interface IncidentEntry {
  /** Wall-clock ms since 1970. */
  readonly at: number;
  readonly what:
    | 'anomaly'
    | 'attributed'
    | 'transition'
    | 'ejected'
    | 'returned'
    | 'responded'
    | 'failed-to-respond'
    | 'verified'
    | 'unproven'
    | 'undone'
    | 'tier'
    | 'gave-up'
    | 'recovered';
  /** A recovery strategy's name and level, where one is meant. */
  readonly strategy?: string;
  readonly level?: number;
  readonly detail?: string;
  readonly evidence?: Readonly<Record<string, number>>;
}

/** From the first anomaly to verified recovery. */
export interface IncidentReport {
  readonly id: string;
  readonly target: string;
  readonly anomaly: Anomaly;
  readonly status: IncidentStatus;
  /** The highest recovery level climbed. */
  readonly level: number;
  /** Wall-clock ms since 1970. */
  readonly openedAt: number;
  readonly endedAt: number | undefined;
  readonly timeline: readonly IncidentEntry[];
  /** The upstream that the trouble of a route comes of, where that is known. */
  readonly rootCause: string | undefined;
}

/** The strategies of a story that had helped in their time: one that proved itself late has not. */
export function provedIn(timeline: readonly IncidentEntry[]): Set<string | undefined> {
  const told = (what: IncidentEntry['what']) =>
    timeline.filter((entry) => entry.what === what).map(({ strategy }) => strategy);
  const late = new Set(told('unproven'));
  return new Set(told('verified').filter((strategy) => !late.has(strategy)));
}

/** The part of a story that is the present tier's. */
export function sinceTier(timeline: readonly IncidentEntry[]): readonly IncidentEntry[] {
  return timeline.slice(timeline.findLastIndex(({ what }) => what === 'tier') + 1);
}

const LONGEST_TIMELINE = 100;

/** An incident while it is being written. */
export class Incident implements IncidentReport {
  readonly id: string;
  readonly target: string;
  readonly openedAt: number;
  anomaly: Anomaly;
  status: IncidentStatus = 'open';
  level = 0;
  endedAt: number | undefined = undefined;
  /** When recovery began, in monotonic ms: the wall clock may be set while an incident lasts. */
  since: number | undefined = undefined;
  rootCause: string | undefined = undefined;
  readonly timeline: IncidentEntry[] = [];

  constructor(id: string, target: string, anomaly: Anomaly, at: number) {
    this.id = id;
    this.target = target;
    this.anomaly = anomaly;
    this.openedAt = at;
    this.add({ at, what: 'anomaly', detail: anomaly.kind, evidence: anomaly.evidence });
  }

  /** Adds a line; past a hundred the middle of the story gives way to its end. */
  add(entry: IncidentEntry): void {
    if (this.timeline.length >= LONGEST_TIMELINE) this.timeline.splice(LONGEST_TIMELINE / 2, 1);
    this.timeline.push(entry);
  }

  report(): IncidentReport {
    const { id, target, anomaly, status, level, openedAt, endedAt, timeline, rootCause } = this;
    return { id, target, anomaly, status, level, openedAt, endedAt, timeline: [...timeline], rootCause };
  }
}

const STATUSES: readonly IncidentStatus[] = ['open', 'gave-up', 'recovered'];

export interface IncidentQuery {
  target?: string | undefined;
  /** Only those that began at this moment or later, or were not over by then: wall-clock ms since 1970. */
  since?: number | undefined;
  status?: IncidentStatus | undefined;
  /** At most so many, the latest first. Default: all that are kept. */
  limit?: number | undefined;
}

const KEPT = 200;

/** The incidents under way, and the last ones that ended. */
export class IncidentLog {
  readonly #random: Random;
  readonly #open = new Map<string, Incident>();
  readonly #all: Incident[] = [];

  constructor(random: Random) {
    this.#random = random;
  }

  openOf(target: string): Incident | undefined {
    return this.#open.get(target);
  }

  open(target: string, anomaly: Anomaly, at: number): Incident {
    const id = Math.floor(this.#random.next() * 36 ** 8)
      .toString(36)
      .padStart(8, '0');
    const incident = new Incident(id, target, anomaly, at);
    this.#open.set(target, incident);
    this.#all.push(incident);
    if (this.#all.length > KEPT) this.#forgetOldest();
    return incident;
  }

  end(incident: Incident): void {
    this.#open.delete(incident.target);
  }

  /** @throws ConfigError for a wrong query */
  query({ target, since, status, limit = KEPT }: IncidentQuery = {}): IncidentReport[] {
    if (!Number.isInteger(limit) || limit < 0) {
      throw new ConfigError('incidents.limit', limit, 'a whole number from 0');
    }
    if (since !== undefined && !(typeof since === 'number' && since >= 0)) {
      throw new ConfigError('incidents.since', since, 'ms since 1970');
    }
    if (status !== undefined && !STATUSES.includes(status)) {
      throw new ConfigError('incidents.status', status, `one of ${STATUSES.join(', ')}`);
    }
    const found = this.#all.filter(
      (incident) =>
        (target === undefined || incident.target === target) &&
        (status === undefined || incident.status === status) &&
        (since === undefined || (incident.endedAt ?? Number.POSITIVE_INFINITY) >= since),
    );
    return found
      .slice(Math.max(0, found.length - limit))
      .reverse()
      .map((incident) => incident.report());
  }

  #forgetOldest(): void {
    const ended = this.#all.findIndex((incident) => incident.endedAt !== undefined);
    this.#all.splice(Math.max(0, ended), 1);
  }
}
