import { isHealthy } from '../is-healthy.ts';
import type { RecoveryContext, RecoveryStrategy } from '../strategy.ts';

/** While failures last, each look takes so much off the limit... */
const TIGHTEN = 0.8;
/** ...but never more, in all, than leaves this share of what was in flight at first. */
const LEAST_SHARE = 0.25;
/** Fewer calls in flight than this are no crowd. */
const LEAST = 2;
const LOOSEN = 2;

interface Notes {
  limit: number;
  /** What the limit never goes below, and where it is let go. */
  least: number;
  enough: number;
}

/**
 * Level 3: fewer calls at once while failures last, from what is in flight when it begins; then step by step twice as
 * many, until nothing is held back. Less at first and more at each good look is what congestion control does (Jacobson,
 * "Congestion Avoidance and Control", 1988). A quarter of the calls, and two, always have a place.
 */
export const limit: RecoveryStrategy = {
  name: 'limit',
  level: 3,
  appliesTo: ({ anomaly, circuit, settings }) =>
    settings.tier !== 'basic' && anomaly.kind === 'error-rate' && circuit === 'closed',
  execute(context) {
    const { health, settings } = context;
    const given = settings.policy.concurrency ?? Number.POSITIVE_INFINITY;
    const crowd = Math.max(health.inFlight, usualCrowd(health), LEAST);
    const least = Math.max(Math.ceil(crowd * LEAST_SHARE), LEAST);
    const notes: Notes = {
      limit: crowd,
      least: Math.min(least, given),
      enough: Math.min(crowd * LOOSEN, given),
    };
    Object.assign(context.notes, notes);
    lay(context, crowd * TIGHTEN);
  },
  adjust(context) {
    const { health, settings, notes } = context;
    const { limit, enough } = notes as unknown as Notes;
    const failing = health.failureRate >= settings.recovery.anomalyRate;
    if (failing) lay(context, limit * TIGHTEN);
    else if (limit < enough) lay(context, limit * LOOSEN);
  },
  verify: isHealthy,
};

/** Calls in flight are calls a ms times the ms that they take (Little's law); what is in flight now may be chance. */
function usualCrowd({ calls, overMs, p95 = 0 }: RecoveryContext['health']): number {
  return overMs === 0 ? 0 : Math.ceil((calls / overMs) * p95);
}

function lay({ overlay, notes }: RecoveryContext, wanted: number): void {
  const own = notes as unknown as Notes;
  const limit = Math.min(Math.max(Math.floor(wanted), own.least), own.enough);
  if (limit === own.limit) return;
  own.limit = limit;
  overlay(limit < own.enough ? { policy: { concurrency: limit } } : {});
}
