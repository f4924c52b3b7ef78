import type { OutlierOptions, OutlierSettings } from '../config/schema.ts';
import { type CallFigures, NO_CALLS, sumOf, without } from './call-log.ts';
import type { Host } from './host.ts';
import { type HangFigures, OutlierDetector, type OutlierFinding } from './outlier-detector.ts';

/** The longest time that is looked back. Faults are looked for in the shortest window that shows them. */
export const WINDOW_MS = 10_000;
const WINDOWS_MS = [1_000, 3_000, WINDOW_MS];

/** Compares the hosts of one set with each other. */
export class HostJudge {
  #detector: OutlierDetector;
  /** What became of the calls of all hosts in use over the last 10 s, at the last look. */
  #recent: CallFigures = NO_CALLS;
  #hangMs: number | undefined;

  /** @throws ConfigError for a wrong setting */
  constructor(options: OutlierOptions) {
    this.#detector = new OutlierDetector(options);
  }

  get settings(): OutlierSettings {
    return this.#detector.settings;
  }

  /** Puts other settings in force. @throws ConfigError for a wrong setting */
  update(options: OutlierOptions): void {
    this.#detector = new OutlierDetector(options);
  }

  /** Whether a host that answers badly does so often enough in a row, and more than its peers. */
  suspect(host: Host, inUse: readonly Host[], now: number): OutlierFinding | undefined {
    const peers = inUse.filter((other) => other !== host);
    if (peers.length === 0) return undefined;
    const good = peers.reduce((sum, { log }) => sum + log.good, 0) / peers.length;
    if (!this.#detector.areWell(good)) return undefined;
    const recent = sumOf(peers.map(({ log }) => log.since(now - WINDOW_MS)));
    return this.#detector.inARow(host.log.streak, recent);
  }

  /** Looks at the hosts in use, and tells of each that is worse than the others. */
  look(inUse: readonly Host[], now: number, onOutlier: (host: Host, finding: OutlierFinding) => void): void {
    this.#compare(inUse, now, onOutlier);
    this.#hangMs = this.#detector.hangMs(this.#recent);
    if (this.#hangMs !== undefined) this.#compareHangs(inUse, now - this.#hangMs, onOutlier);
  }

  /** Whether a call that has had no answer for so long hangs. */
  isHang(ageMs: number): boolean {
    return this.#hangMs !== undefined && ageMs >= this.#hangMs;
  }

  /** Whether an answer took longer than one of a host that is like the others. */
  isSlow(latencyMs: number): boolean {
    return this.#detector.isSlow(latencyMs, this.#recent);
  }

  /** Whether calls of a host hang. */
  hangs({ log }: Host, now: number): boolean {
    return this.#hangMs !== undefined && hangFigures(log.inFlight, log.since(now - this.#hangMs)).stuck > 0;
  }

  #compare(
    inUse: readonly Host[],
    now: number,
    onOutlier: (host: Host, finding: OutlierFinding) => void,
  ): void {
    const found = new Set<Host>();
    for (const windowMs of WINDOWS_MS) {
      const figures = inUse.map(({ log }) => log.since(now - windowMs));
      this.#recent = sumOf(figures);
      for (const [index, host] of inUse.entries()) {
        const own = figures[index] as CallFigures;
        const finding = found.has(host) ? undefined : this.#detector.compare(own, without(this.#recent, own));
        if (finding === undefined) continue;
        found.add(host);
        onOutlier(host, finding);
      }
    }
  }

  #compareHangs(
    inUse: readonly Host[],
    from: number,
    onOutlier: (host: Host, finding: OutlierFinding) => void,
  ): void {
    const figures = inUse.map(({ log }) => hangFigures(log.inFlight, log.since(from)));
    const stuck = figures.reduce((sum, own) => sum + own.stuck, 0);
    const answered = figures.reduce((sum, own) => sum + own.answered, 0);
    for (const [index, host] of inUse.entries()) {
      const own = figures[index] as HangFigures;
      const peers = { stuck: stuck - own.stuck, answered: answered - own.answered };
      const finding = this.#detector.byHang(own, peers);
      if (finding !== undefined) onOutlier(host, finding);
    }
  }
}

/** At least so many calls in flight are older than those that began in the time of the figures. */
function hangFigures(inFlight: number, { began, answered }: CallFigures): HangFigures {
  return { stuck: Math.max(0, inFlight - began), answered };
}
