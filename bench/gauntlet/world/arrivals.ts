import { seededRandom } from '@healix/core/testing';
import { FIGURES, type Priority } from '../figures.ts';
import type { Load, Times } from '../scenario.ts';
import type { RequestTerms } from './call-request.ts';

/** The requests of a run in order of time: a Poisson process whose rate follows the load, the same for each contender. */
export function* arrivals(load: Load, times: Times, seed: number): Generator<RequestTerms> {
  const random = seededRandom(Math.imul(seed, 0x9e3779b1) ^ 0x5bd1e995);
  const most = mostPerMs(load);
  let id = 0;
  for (let at = times.startAt; ; ) {
    at -= Math.log(1 - random.next()) / most;
    if (at >= times.arrivalsEndAt) return;
    const accepted = random.next() * most < perMs(load, times, at);
    const idempotent = random.next() < FIGURES.idempotentShare;
    const priority = pick(random.next());
    const route = routeOf(random.next());
    if (!accepted) continue;
    yield { id: id++, at, deadlineAt: at + FIGURES.deadlineMs, idempotent, priority, route };
  }
}

/** Requests a ms at a time. */
function perMs(load: Load, times: Times, at: number): number {
  const { perSecond = FIGURES.perSecond, perSecondInFault = perSecond, swing, returning } = load;
  const inFault = times.faultAt <= at && at < times.mendedAt;
  let rate = inFault ? perSecondInFault : perSecond;
  if (swing !== undefined && inFault) {
    rate *= 1 + swing.share * Math.sin((2 * Math.PI * (at - times.faultAt)) / swing.periodMs);
  }
  rate /= 1_000;
  if (returning !== undefined && times.mendedAt <= at && at < times.mendedAt + returning.overMs) {
    rate += returning.requests / returning.overMs;
  }
  return rate;
}

function mostPerMs({ perSecond = FIGURES.perSecond, perSecondInFault = 0, swing, returning }: Load): number {
  const swung = Math.max(perSecond, perSecondInFault) * (1 + (swing?.share ?? 0));
  return swung / 1_000 + (returning === undefined ? 0 : returning.requests / returning.overMs);
}

function pick(share: number): Priority {
  let rest = share;
  for (const [priority, part] of Object.entries(FIGURES.priorities) as [Priority, number][]) {
    rest -= part;
    if (rest < 0) return priority;
  }
  return 'normal';
}

function routeOf(share: number): number {
  const { firstRouteShare, routes } = FIGURES;
  if (share < firstRouteShare) return 0;
  return 1 + Math.floor(((share - firstRouteShare) / (1 - firstRouteShare)) * (routes - 1));
}
