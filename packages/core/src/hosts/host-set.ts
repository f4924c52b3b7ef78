import type { Outcome, OutlierOptions } from '../config/schema.ts';
import type { Anomaly } from '../health/anomaly.ts';
import { type Clock, systemClock } from '../time/clock.ts';
import { type Random, systemRandom } from '../time/random.ts';
import { Host, type HostStatus } from './host.ts';
import { HostCall, type HostCallKeeper } from './host-call.ts';
import { HostJudge, WINDOW_MS } from './host-judge.ts';
import { pickHost } from './host-picker.ts';
import type { OutlierFinding } from './outlier-detector.ts';

/** A host was left out, or takes its share of the calls again. */
export interface HostMove {
  readonly host: string;
  readonly what: 'ejected' | 'returned';
  /** Why it was ejected. */
  readonly finding: OutlierFinding;
}

export interface HostSetEnvironment {
  readonly clock?: Clock | undefined;
  readonly random?: Random | undefined;
  onMove?(move: HostMove): void;
}

const LOOK_MS = 100;
/** Good answers in a row that end a trial. */
const PROOFS = 3;
/** A trial waits this long for a call that is safe to repeat; then it takes any. */
const PATIENCE_MS = 1_000;

/**
 * The hosts of one target: chooses one for each call, leaves outliers out for a while, tries them again with single
 * calls, and lets them come back little by little (outlier ejection as in Envoy, and Finagle's failure accrual). It
 * has no timer: it looks at its hosts ten times a second while calls come.
 *
 * All times are monotonic ms.
 */
export class HostSet implements HostCallKeeper {
  /** False in observe mode: hosts are judged, and all are used. */
  acts = true;
  readonly #clock: Clock;
  readonly #random: Random;
  readonly #onMove: ((move: HostMove) => void) | undefined;
  readonly #judge: HostJudge;
  #hosts: readonly Host[];
  /** Those that calls go to. */
  #usable: readonly Host[];
  #trials = 0;
  #panic = false;
  #nextLook: number;

  /**
   * @param names at least one, each once
   * @param options what differs from the defaults of `docs/settings.md`, section outlier
   * @throws ConfigError for a wrong setting
   */
  constructor(names: readonly string[], options: OutlierOptions = {}, environment: HostSetEnvironment = {}) {
    const { clock = systemClock, random = systemRandom, onMove } = environment;
    this.#clock = clock;
    this.#random = random;
    this.#onMove = onMove;
    this.#judge = new HostJudge(options);
    const now = clock.now();
    this.#nextLook = now;
    this.#hosts = names.map((name) => new Host(name, now, false));
    this.#usable = this.#hosts;
  }

  /** True while too many hosts are bad for any to be left out. */
  get panic(): boolean {
    return this.#panic;
  }

  /** Hosts that are ejected or tried. */
  get out(): number {
    return count(this.#hosts, ({ state }) => state !== 'in-use');
  }

  /** The most hosts that may be out at once. */
  get mostOut(): number {
    const { maxEjectedShare } = this.#judge.settings;
    if (maxEjectedShare === 0) return 0;
    return Math.min(this.#hosts.length - 1, Math.max(1, Math.floor(this.#hosts.length * maxEjectedShare)));
  }

  /**
   * The host for one more attempt, which is under way from now on: `end` it, exactly once.
   *
   * @param repeatable whether the call could be made again if it fails: trials prefer those
   * @param before the last attempt of the same call: it goes to a host that the call has not tried
   */
  choose(now: number = this.#clock.now(), repeatable = true, before?: HostCall): HostCall {
    if (now >= this.#nextLook) this.#look(now);
    const tried = this.#trials > 0 ? this.#hostOnTrial(now, repeatable, before) : undefined;
    return new HostCall(this, tried ?? this.#pick(now, before), now, before);
  }

  /** @internal Told by the call. */
  ended(
    { host, log, start, heard }: HostCall,
    said: Outcome,
    latencyMs: number | undefined,
    now: number,
  ): void {
    const outcome = said === 'ignored' && !heard && this.#judge.isHang(now - start) ? 'failure' : said;
    log.leave(outcome, latencyMs, now);
    if (said !== 'ignored') host[said]++;
    if (log !== host.log || outcome === 'ignored') return;
    if (host.state === 'trial') this.#proceed(host, outcome, latencyMs ?? now - start, now);
    else if (outcome !== 'success' && host.state === 'in-use') this.#suspect(host, now);
  }

  /** Puts other hosts or settings in force. A host that stays is the same one; a new one starts slowly. */
  update(names: readonly string[], options: OutlierOptions, now: number = this.#clock.now()): void {
    this.#judge.update(options);
    const known = new Map(this.#hosts.map((host) => [host.name, host]));
    this.#hosts = names.map((name) => known.get(name) ?? new Host(name, now, true));
    const out = this.#hosts.filter(({ state }) => state !== 'in-use').sort((a, b) => a.until - b.until);
    for (const host of out.slice(0, Math.max(0, out.length - this.mostOut))) this.#return(host, now);
    this.#regroup();
  }

  status(now: number = this.#clock.now()): HostStatus[] {
    const { slowStartMs } = this.#judge.settings;
    return this.#hosts.map((host) => host.status(now, slowStartMs, WINDOW_MS));
  }

  /** What is not as it should be: hosts that are out, or would be if there were not so many of them. */
  anomaly(): Anomaly | undefined {
    const { out } = this;
    if (out === 0 && !this.#panic) return undefined;
    const { length } = this.#hosts;
    const severity = this.#panic ? 1 : out / length;
    return { kind: 'host-outlier', severity, evidence: { hosts: length, out, panic: Number(this.#panic) } };
  }

  #hostOnTrial(now: number, repeatable: boolean, before: HostCall | undefined): Host | undefined {
    if (!this.acts || this.#panic) return undefined;
    return this.#hosts.find(
      (host) =>
        host.state === 'trial' &&
        host.log.waiting === 0 &&
        (repeatable || now >= host.until + PATIENCE_MS) &&
        before?.hasTried(host) !== true,
    );
  }

  #pick(now: number, before: HostCall | undefined): Host {
    const among = before === undefined ? this.#usable : this.#untried(before);
    return pickHost(among, now, this.#judge.settings.slowStartMs, this.#random);
  }

  #untried(before: HostCall): readonly Host[] {
    const fresh = this.#usable.filter((host) => !before.hasTried(host));
    if (fresh.length > 0) return fresh;
    const others = this.#usable.filter((host) => host !== before.host);
    return others.length > 0 ? others : this.#usable;
  }

  #look(now: number): void {
    this.#nextLook = now + LOOK_MS;
    this.#judge.look(this.#inUse(), now, (host, finding) => this.#eject(host, finding, now));
    for (const host of this.#hosts) {
      if (host.state === 'ejected' && (now >= host.until || this.#panic)) host.beginTrial();
      else if (host.state === 'trial' && this.#judge.hangs(host, now)) this.#fail(host, now);
      host.log.sample(now);
    }
    this.#regroup();
  }

  /** A bad answer: enough of them in a row say something, if the peers are better. */
  #suspect(host: Host, now: number): void {
    if (host.log.streak < this.#judge.settings.failures) return;
    const finding = this.#judge.suspect(host, this.#inUse(), now);
    if (finding !== undefined) this.#eject(host, finding, now);
    else this.#regroup();
  }

  #eject(host: Host, finding: OutlierFinding, now: number): void {
    if (host.state !== 'in-use') return;
    if (this.out >= this.mostOut || this.#isTooMany(host)) {
      this.#regroup();
      return;
    }
    host.eject(finding, now, this.#judge.settings, this.#random);
    this.#regroup();
    this.#onMove?.({ host: host.name, what: 'ejected', finding });
  }

  /** What one call at an ejected host came to. */
  #proceed(host: Host, outcome: Outcome, latencyMs: number, now: number): void {
    if (outcome !== 'success' || this.#judge.isSlow(latencyMs)) this.#fail(host, now);
    else if (++host.proofs >= PROOFS) {
      this.#return(host, now);
      this.#regroup();
    }
  }

  /** It is not well yet. While all hosts are used there is nothing to leave it out of. */
  #fail(host: Host, now: number): void {
    host.proofs = 0;
    if (this.#panic) return;
    host.eject(host.finding as OutlierFinding, now, this.#judge.settings, this.#random);
    this.#regroup();
  }

  #return(host: Host, now: number): void {
    host.comeBack(now);
    this.#onMove?.({ host: host.name, what: 'returned', finding: host.finding as OutlierFinding });
  }

  #isBad({ state, log }: Host): boolean {
    return state !== 'in-use' || log.streak >= this.#judge.settings.failures;
  }

  /** Whether with `host` too many are bad to leave any out. */
  #isTooMany(host?: Host): boolean {
    const bad = count(this.#hosts, (other) => other === host || this.#isBad(other));
    return bad > this.#hosts.length * this.#judge.settings.panicShare;
  }

  #regroup(): void {
    this.#panic = this.#isTooMany();
    this.#trials = count(this.#hosts, ({ state }) => state === 'trial');
    const all = this.#panic || !this.acts;
    this.#usable = all ? this.#hosts : this.#inUse();
  }

  #inUse(): readonly Host[] {
    return this.#hosts.filter(({ state }) => state === 'in-use');
  }
}

function count(hosts: readonly Host[], counts: (host: Host) => boolean): number {
  return hosts.reduce((sum, host) => sum + Number(counts(host)), 0);
}
