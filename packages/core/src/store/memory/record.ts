import type { ForcedState } from '../../config/schema.ts';
import type { FleetView, OpenTerms } from '../store.ts';
import { number } from './input.ts';
import { Leases } from './lease.ts';
import type { StoredReport } from './trip.ts';
import type { Turn } from './turn.ts';

/** A record that nothing has happened to for so long goes, unless a person holds it. */
const IDLE_MS = 86_400_000;
export const MOST_OPENINGS = 30;
const LONGEST_NOTICE_MS = 60_000;
const MOST_EPOCHS = 2 ** 40;
const LONGEST_ID = 64;
const LONGEST_OPEN_MS = 86_400_000;
/** Who uses a target that is in trouble tells again and again: what is older may be of a process that has died. */
const REPORT_MS = 2_000;

/** What the memory holds of a target. Times are whole ms by its clock, and 0 for never. */
export class TargetRecord {
  readonly target: string;
  /** 0: there is no record yet. */
  epoch = 0;
  epochId = '';
  state: 'closed' | 'open' = 'closed';
  /** When an open target is due. */
  until = 0;
  /** The epoch's whole open time. */
  openMs = 0;
  openings = 0;
  forced: ForcedState = null;
  forcedVersion = 0;
  forcedToken = '';
  /** The primary that has last written it. */
  run = '';
  /** Made from what a replica believed. */
  seeded = false;
  /** Probes that this epoch may have; 0 before the first is granted. */
  probes = 0;
  granted = 0;
  succeeded = 0;
  failed = 0;
  readonly leases = new Leases();
  closedAt = 0;
  /** First and last ask of the suspicion. */
  firstAskAt = 0;
  lastAskAt = 0;
  evaluatedAt = 0;
  /** How many reports the last evaluation saw. */
  evaluated = 0;
  /** When a claim last found no free probe. */
  wantedAt = 0;
  reportedAt = 0;
  touchedAt = 0;
  readonly #reports = new Map<string, StoredReport>();

  constructor(target: string) {
    this.target = target;
  }

  isIdle(now: number): boolean {
    return this.forced === null && now - this.touchedAt >= IDLE_MS;
  }

  /** What no reply may tell of counts as no record: it is made anew, from what replicas believe. */
  get isSound(): boolean {
    const { epoch, epochId, forcedVersion, forcedToken, openMs } = this;
    const isBounded = epoch < MOST_EPOCHS && forcedVersion < MOST_EPOCHS && openMs <= LONGEST_OPEN_MS;
    return isBounded && epochId !== '' && epochId.length <= LONGEST_ID && forcedToken.length <= LONGEST_ID;
  }

  view(now: number): FleetView {
    return {
      target: this.target,
      epoch: this.epoch,
      epochId: this.epochId,
      state: this.state,
      remainingMs: this.state === 'open' ? Math.max(0, this.until - now) : 0,
      openMs: this.openMs,
      openings: this.openings,
      forced: this.forced,
      forcedVersion: this.forcedVersion,
      forcedToken: this.forcedToken,
      reporters: this.#reports.size,
    };
  }

  create(turn: Turn, epoch: number): void {
    this.epoch = Math.max(1, epoch);
    this.epochId = turn.takeId();
    this.run = turn.call.run;
    this.#voidProbes();
  }

  /** R5: what says that it is from after now was written when the clock was ahead. */
  repair(now: number): void {
    if (this.state === 'open') this.until = Math.min(this.until, now + this.openMs);
    this.closedAt = Math.min(this.closedAt, now);
    for (const name of ['firstAskAt', 'lastAskAt', 'evaluatedAt', 'wantedAt'] as const) {
      if (this[name] > now) this[name] = 0;
    }
    if (this.reportedAt > now) {
      this.reports(now);
      this.reportedAt = now;
    }
    this.leases.shorten(Math.max(now, this.until));
  }

  /** R2: another primary may have lost what the last one told of this epoch. */
  checkPrimary(turn: Turn): void {
    const { run } = turn.call;
    if (this.run === run) return;
    if (this.state === 'open') {
      this.epoch += 1;
      this.epochId = turn.takeId();
      this.#voidProbes();
      turn.news = true;
    }
    this.run = run;
  }

  newEpoch(turn: Turn): void {
    this.epoch += 1;
    this.epochId = turn.takeId();
    this.#voidProbes();
    this.firstAskAt = 0;
    this.lastAskAt = 0;
    this.evaluatedAt = 0;
    this.evaluated = 0;
    this.seeded = false;
    turn.news = true;
  }

  open(turn: Turn, terms: OpenTerms): void {
    this.newEpoch(turn);
    this.forgetReports();
    this.state = 'open';
    this.openMs = openTime(terms, this.openings);
    this.openings = Math.min(this.openings + 1, MOST_OPENINGS);
    this.until = turn.now + this.openMs;
  }

  close(turn: Turn): void {
    this.newEpoch(turn);
    this.forgetReports();
    this.state = 'closed';
    this.until = 0;
    this.openMs = 0;
    this.closedAt = turn.now;
  }

  /** R11: another round of probes, at once, since nothing was decided by the last. */
  dueNow(turn: Turn): void {
    this.newEpoch(turn);
    this.state = 'open';
    this.until = turn.now;
  }

  /** Open, for `remainingMs` from now on, as a replica believes. */
  believe(
    now: number,
    { openMs, openings }: { openMs: number; openings: number },
    remainingMs: number,
  ): void {
    this.state = 'open';
    this.openings = Math.min(openings, MOST_OPENINGS);
    this.until = now + remainingMs;
    this.openMs = Math.max(openMs, remainingMs);
  }

  storeReport(replica: string, report: StoredReport): void {
    this.#reports.set(replica, report);
    this.reportedAt = report.at;
  }

  /** What replicas have reported. Dropped is what is from after now, and what was not told again. */
  reports(now: number): readonly StoredReport[] {
    for (const [replica, { at }] of this.#reports) {
      if (at > now || now - at > REPORT_MS) this.#reports.delete(replica);
    }
    return [...this.#reports.values()];
  }

  forgetReports(): void {
    this.#reports.clear();
    this.reportedAt = 0;
  }

  #voidProbes(): void {
    this.granted = 0;
    this.succeeded = 0;
    this.failed = 0;
    this.probes = 0;
    this.leases.clear();
  }
}

/** Doubles with each opening up to a bound, both with jitter; not shorter than the upstream has asked for. */
function openTime(terms: OpenTerms, openings: number): number {
  const chance = Math.min(number(terms?.chance), 1);
  const grown = number(terms?.openMs) * 2 ** Math.min(openings, MOST_OPENINGS) * (0.8 + 0.4 * chance);
  const most = number(terms?.maxOpenMs) * (0.8 + 0.2 * chance);
  return Math.floor(Math.max(Math.min(grown, most), Math.min(number(terms?.noticeMs), LONGEST_NOTICE_MS)));
}
