import type { OutlierOptions, OutlierSettings } from '../config/schema.ts';
import { type CallFigures, type CallLog, NO_CALLS, sumOf, without } from './call-log.ts';
import type { Host } from './host.ts';
import { type HangFigures, OutlierDetector, type OutlierFinding } from './outlier-detector.ts';

/** The longest time that is looked back. Faults are looked for in the shortest window that shows them. */
export const WINDOW_MS = 10_000;
const WINDOWS_MS = [1_000, 3_000, WINDOW_MS];
/** Peers are looked at over so many times what counts as a hang. */
const PEERS = 4;

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
    if (this.#hangMs !== undefined) this.#compareHangs(inUse, now, this.#hangMs, onOutlier);
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
    return this.#hangMs !== undefined && stuckIn(log, log.since(now - this.#hangMs)) > 0;
  }

  #compare(
    inUse: readonly Host[],
    now: number,
    onOutlier: (host: Host, finding: OutlierFinding) => void,
  ): void {
    const found = new Set<Host>();
    const timed = new Set<Host>();
    for (const windowMs of WINDOWS_MS) {
      const figures = inUse.map(({ log }) => log.since(now - windowMs));
      this.#recent = sumOf(figures);
      for (const [index, host] of inUse.entries()) {
        if (found.has(host)) continue;
        const own = figures[index] as CallFigures;
        const finding = this.#compareOne(host, own, without(this.#recent, own), timed);
        if (finding === undefined) continue;
        found.add(host);
        onOutlier(host, finding);
      }
    }
  }

  /** @param timed hosts whose latency a shorter window has judged: that one is the news */
  #compareOne(
    host: Host,
    own: CallFigures,
    peers: CallFigures,
    timed: Set<Host>,
  ): OutlierFinding | undefined {
    const byRate = this.#detector.byRate(own, peers, host.log.good);
    if (byRate !== undefined || timed.has(host) || !this.#detector.canTime(own, peers)) return byRate;
    timed.add(host);
    return this.#detector.byLatency(own, peers);
  }

  #compareHangs(
    inUse: readonly Host[],
    now: number,
    hangMs: number,
    onOutlier: (host: Host, finding: OutlierFinding) => void,
  ): void {
    const lately = inUse.map(({ log }) => hangFigures(log, now - hangMs, now - hangMs));
    if (lately.every(({ stuck }) => stuck === 0)) return;
    const longer = inUse.map(({ log }) => hangFigures(log, now - hangMs, now - PEERS * hangMs));
    for (const [index, host] of inUse.entries()) {
      const isPeer = (_: HangFigures, other: number) => other !== index;
      const peers = [lately, longer].map((all) => sumOfHangs(all.filter(isPeer))) as [
        HangFigures,
        HangFigures,
      ];
      const finding = this.#detector.byHang(lately[index] as HangFigures, ...peers);
      if (finding !== undefined) onOutlier(host, finding);
    }
  }
}

/** At least so many calls in flight are older than those that began `lately`. */
function stuckIn({ waiting }: CallLog, lately: CallFigures): number {
  return Math.max(0, waiting - lately.began);
}

function hangFigures(log: CallLog, hangFrom: number, from: number): HangFigures {
  const { answered, bad } = log.since(from);
  return { stuck: stuckIn(log, log.since(hangFrom)), good: answered - bad, bad };
}

function sumOfHangs(all: readonly HangFigures[]): HangFigures {
  const sum = { stuck: 0, good: 0, bad: 0 };
  for (const { stuck, good, bad } of all) {
    sum.stuck += stuck;
    sum.good += good;
    sum.bad += bad;
  }
  return sum;
}
