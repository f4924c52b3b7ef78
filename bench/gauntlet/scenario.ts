import { FIGURES } from './figures.ts';
import { draw, FOR } from './world/dice.ts';
import type { Fault } from './world/faults.ts';
import type { UpstreamShape } from './world/upstream.ts';

/** How many requests come. All times are in ms from the fault's start. */
export interface Load {
  /** Default: `FIGURES.perSecond`. */
  readonly perSecond?: number;
  /** While the fault lasts. Default: as before. */
  readonly perSecondInFault?: number;
  /** Swings by this share around `perSecond`, once in `periodMs`, while the fault lasts. */
  readonly swing?: { readonly share: number; readonly periodMs: number };
  /** Users who had waited for the fault's end: so many requests more, spread evenly over `overMs`. */
  readonly returning?: { readonly requests: number; readonly overMs: number };
  /** Whether a user whose request failed asks again (`FIGURES.userRetries`). */
  readonly userRetries?: boolean;
}

/** Something that the upstream calls itself. */
interface BehindUpstream {
  /** On these of its routes. */
  readonly routes: readonly number[];
  readonly faults: readonly Fault[];
}

/** A fault, and the load under which it happens. */
export interface Scenario {
  readonly name: string;
  readonly title: string;
  /** In a sentence, for the page. */
  readonly about: string;
  /** Default: `FIGURES.faultMs`. */
  readonly faultMs?: number;
  readonly load?: Load;
  readonly faults?: readonly Fault[];
  readonly upstream?: Partial<UpstreamShape>;
  readonly behind?: BehindUpstream;
}

/** The upstream of a scenario; `sigma` is the harness's where it is not given. */
export function shapeOf({ upstream }: Scenario, sigma: number): UpstreamShape {
  const { hosts, serversPerHost, queuePerHost, serviceMs } = FIGURES;
  return { hosts, serversPerHost, queuePerHost, serviceMs, sigma, ...upstream };
}

/** Requests that an upstream can do in a second while nothing is wrong. */
export function capacityOf({ hosts, serversPerHost, serviceMs }: UpstreamShape): number {
  return (hosts * serversPerHost * 1_000) / serviceMs;
}

/** When things happen in a run, in the timeline's time. */
export interface Times {
  /** How much longer the fault, and all that happens in it, is than the scenario says. */
  readonly stretch: number;
  readonly startAt: number;
  readonly faultAt: number;
  readonly mendedAt: number;
  /** The end of the measures' window. */
  readonly windowEndsAt: number;
  /** The end of arrivals: late enough to see a recovery at the window's end hold. */
  readonly arrivalsEndAt: number;
  readonly endsAt: number;
}

export function timesOf({ faultMs = FIGURES.faultMs }: Scenario, startAt: number, seed: number): Times {
  const stretch = 1 + FIGURES.stretch * (2 * draw(seed, 0, 0, FOR.stretch) - 1);
  const faultAt = startAt + FIGURES.warmUpMs;
  const mendedAt = faultAt + faultMs * stretch;
  const windowEndsAt = mendedAt + FIGURES.afterMs;
  const arrivalsEndAt = windowEndsAt + FIGURES.recoveredForMs;
  return {
    stretch,
    startAt,
    faultAt,
    mendedAt,
    windowEndsAt,
    arrivalsEndAt,
    endsAt: arrivalsEndAt + FIGURES.deadlineMs,
  };
}
