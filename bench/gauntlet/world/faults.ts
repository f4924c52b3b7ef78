import type { Times } from '../scenario.ts';

/** Times are in ms from the fault's start; `hosts` and `routes` are all where they are not given. */
interface Span {
  /** Default: 0. */
  readonly fromMs?: number;
  /** Default: the scenario's `faultMs`. */
  readonly toMs?: number;
  readonly hosts?: readonly number[];
}

/** What can be wrong with an upstream. */
export type Fault = Span &
  (
    | { /** Connections are refused; what was under way is lost. */ readonly kind: 'down' }
    | { /** Nothing goes on, though requests are taken; all goes on after it. */ readonly kind: 'hang' }
    | { /** All takes `factor` times as long. */ readonly kind: 'slow'; readonly factor: number }
    | {
        /** All takes up to `factor` times as long; the excess halves in `halfLifeMs`. */
        readonly kind: 'cold';
        readonly factor: number;
        readonly halfLifeMs: number;
      }
    | {
        /** This share of the answers is a 500. */
        readonly kind: 'errors';
        readonly share: number;
        readonly routes?: readonly number[];
      }
    | {
        /** This share takes `factor` times as long. */ readonly kind: 'tail';
        readonly share: number;
        readonly factor: number;
      }
    | {
        /** A round trip takes up to `ms` longer; it rises to that over `rampMs`. */
        readonly kind: 'network';
        readonly ms: number;
        readonly rampMs: number;
      }
    | {
        /** More than so many a second are answered 429, with a Retry-After of 1 s. */ readonly kind: 'limit';
        readonly perSecond: number;
      }
  );

type Timed = Fault & { readonly from: number; readonly to: number };

/** What is wrong when, in the timeline's time. */
export class FaultSchedule {
  readonly #faults: readonly Timed[];

  constructor(faults: readonly Fault[], { faultAt, mendedAt, stretch }: Times) {
    this.#faults = faults.map((fault) => ({
      ...fault,
      from: faultAt + (fault.fromMs ?? 0) * stretch,
      to: fault.toMs === undefined ? mendedAt : faultAt + fault.toMs * stretch,
    }));
  }

  /** When something begins or ends, in order. */
  get boundaries(): number[] {
    const times = new Set(this.#faults.flatMap(({ from, to }) => [from, to]));
    return [...times].sort((a, b) => a - b);
  }

  isDown(host: number, now: number): boolean {
    return this.#faults.some((fault) => fault.kind === 'down' && isOn(fault, host, now));
  }

  hangs(host: number, now: number): boolean {
    return this.#faults.some((fault) => fault.kind === 'hang' && isOn(fault, host, now));
  }

  /** How much longer than usual all takes. */
  factor(host: number, now: number): number {
    let factor = 1;
    for (const fault of this.#faults) {
      if (!isOn(fault, host, now)) continue;
      if (fault.kind === 'slow') factor *= fault.factor;
      else if (fault.kind === 'cold')
        factor *= 1 + (fault.factor - 1) * 2 ** (-(now - fault.from) / fault.halfLifeMs);
    }
    return factor;
  }

  errorShare(host: number, route: number, now: number): number {
    let share = 0;
    for (const fault of this.#faults) {
      if (fault.kind !== 'errors' || !isOn(fault, host, now)) continue;
      if (fault.routes === undefined || fault.routes.includes(route)) share = Math.max(share, fault.share);
    }
    return share;
  }

  tail(host: number, now: number): { readonly share: number; readonly factor: number } | undefined {
    for (const fault of this.#faults) if (fault.kind === 'tail' && isOn(fault, host, now)) return fault;
    return undefined;
  }

  extraNetworkMs(now: number): number {
    let ms = 0;
    for (const fault of this.#faults) {
      if (fault.kind !== 'network' || !isOn(fault, 0, now)) continue;
      ms += fault.rampMs === 0 ? fault.ms : fault.ms * Math.min(1, (now - fault.from) / fault.rampMs);
    }
    return ms;
  }

  limitPerSecond(now: number): number | undefined {
    for (const fault of this.#faults)
      if (fault.kind === 'limit' && isOn(fault, 0, now)) return fault.perSecond;
    return undefined;
  }

  /** When the host will be down, or hang, next; `now` where it is. */
  breaksAt(host: number, now: number): number {
    let at = Number.POSITIVE_INFINITY;
    for (const fault of this.#faults) {
      if ((fault.kind !== 'down' && fault.kind !== 'hang') || !concerns(fault, host)) continue;
      if (now < fault.to) at = Math.min(at, Math.max(now, fault.from));
    }
    return at;
  }

  /** When the host that breaks at `brokenAt` is well again. */
  mendsAt(host: number, brokenAt: number): number {
    let at = brokenAt;
    for (const fault of this.#faults) {
      if (fault.kind !== 'down' && fault.kind !== 'hang') continue;
      if (isOn(fault, host, at)) at = fault.to;
    }
    return at;
  }
}

function concerns(fault: Timed, host: number): boolean {
  return fault.hosts === undefined || fault.hosts.includes(host);
}

function isOn(fault: Timed, host: number, now: number): boolean {
  return fault.from <= now && now < fault.to && concerns(fault, host);
}
