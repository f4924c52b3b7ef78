import type { OutlierSettings } from '../config/schema.ts';
import type { Random } from '../time/random.ts';
import { CallLog, typicalMs } from './call-log.ts';
import type { OutlierFinding } from './outlier-detector.ts';

/** `in-use`: it takes its share of the calls. `ejected`: none. `trial`: one at a time, to see whether it is well. */
export type HostState = 'in-use' | 'ejected' | 'trial';

/** How one host is doing. Figures without a time are of the last 10 s, or since it was last ejected. */
export interface HostStatus {
  readonly host: string;
  readonly state: HostState;
  /** Which part of its share of the calls it gets: less than 1 while it comes back, or answers badly. */
  readonly weight: number;
  readonly inFlight: number;
  readonly callsPerSecond: number;
  readonly failureRate: number;
  /** The geometric mean of the latencies of good answers in ms; undefined while none was timed. */
  readonly latencyMs: number | undefined;
  /** Since the host is known. */
  readonly counts: { readonly success: number; readonly failure: number; readonly overload: number };
  readonly ejections: number;
  /** Why it is out; undefined while it is in use. */
  readonly finding: OutlierFinding | undefined;
  /** Ms until it is tried again; 0 while it is in use, or being tried. */
  readonly retryInMs: number;
}

/** The least part of its share that a host gets, so that there is something to see. */
const LEAST_WEIGHT = 0.1;
const JITTER = 0.2;
/** So long a time in use takes back one doubling of the ejection time. */
const FORGIVEN_MS = 10_000;
const MOST_DOUBLINGS = 30;

/** One of the hosts that can answer a target's calls. */
export class Host {
  readonly name: string;
  state: HostState = 'in-use';
  /** All of its calls under way, also those that began before it was ejected. */
  inFlight = 0;
  /** Since the host is known. */
  success = 0;
  failure = 0;
  overload = 0;
  /** How often it was ejected. */
  ejections = 0;
  /** Of its calls since it was last ejected, tried, or came back: what began before says nothing of now. */
  log = new CallLog();
  /** Why it was ejected last. */
  finding: OutlierFinding | undefined = undefined;
  /** Until when it is left out. */
  until = Number.NEGATIVE_INFINITY;
  /** Good answers in its trial. */
  proofs = 0;
  #usedSince: number;
  #doublings = 0;
  #slowStart: boolean;

  /** @param slowly it takes up its share little by little from `now` on */
  constructor(name: string, now: number, slowly: boolean) {
    this.name = name;
    this.#usedSince = now;
    this.#slowStart = slowly;
  }

  /** Which part of its share of the calls it gets: less while it comes back, and while its answers are bad. */
  weightAt(now: number, slowStartMs: number): number {
    const { good } = this.log;
    if (!this.#slowStart) return good > 0.99 ? 1 : Math.max(LEAST_WEIGHT, good);
    const grown = slowStartMs === 0 ? 1 : Math.min(1, (now - this.#usedSince) / slowStartMs);
    if (grown === 1) this.#slowStart = false;
    // With fewer calls in flight than its peers it wins against each of them: it has to be drawn half as often.
    return Math.max(LEAST_WEIGHT, (grown / (2 - grown)) * good);
  }

  eject(finding: OutlierFinding, now: number, settings: OutlierSettings, random: Random): void {
    if (this.state === 'in-use') {
      const forgiven = Math.floor((now - this.#usedSince) / FORGIVEN_MS);
      this.#doublings = Math.max(0, this.#doublings - forgiven);
      this.ejections++;
    }
    const { ejectMs, maxEjectMs } = settings;
    const share = random.next();
    const grown = ejectMs * 2 ** this.#doublings * (1 - JITTER + 2 * JITTER * share);
    const most = Math.max(ejectMs, maxEjectMs) * (1 - JITTER + JITTER * share);
    this.until = now + Math.min(grown, most);
    this.#doublings = Math.min(MOST_DOUBLINGS, this.#doublings + 1);
    this.finding = finding;
    this.#enter('ejected');
  }

  beginTrial(): void {
    this.proofs = 0;
    this.#enter('trial');
  }

  comeBack(now: number): void {
    this.#usedSince = now;
    this.#slowStart = true;
    this.#enter('in-use');
  }

  status(now: number, slowStartMs: number, windowMs: number): HostStatus {
    const { name, state, inFlight, success, failure, overload, ejections } = this;
    const recent = this.log.since(now - windowMs);
    const isUsed = state === 'in-use';
    return {
      host: name,
      state,
      weight: isUsed ? this.weightAt(now, slowStartMs) : 0,
      inFlight,
      callsPerSecond: (recent.answered / windowMs) * 1_000,
      failureRate: recent.answered === 0 ? 0 : recent.bad / recent.answered,
      latencyMs: typicalMs(recent),
      counts: { success, failure, overload },
      ejections,
      finding: isUsed ? undefined : this.finding,
      retryInMs: state === 'ejected' ? Math.max(0, this.until - now) : 0,
    };
  }

  #enter(state: HostState): void {
    this.state = state;
    this.log = new CallLog();
  }
}
