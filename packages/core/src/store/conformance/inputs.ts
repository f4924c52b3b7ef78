import type { Claim, FleetView, Force, OpenTerms, Report, Seed, TripTerms, Verdict } from '../store.ts';

export const tripTerms: TripTerms = {
  failureRate: 0.5,
  minimumCalls: 10,
  streak: 20,
  windowMs: 10_000,
  quorum: 0.5,
  hash: 'h1',
};

export const openTerms: OpenTerms = { openMs: 1_000, maxOpenMs: 2_000, noticeMs: 0, chance: 0.5 };

/** By a replica that knows of no record, unless `more` says which. */
export function report(target: string, more: Partial<Report> = {}): Report {
  const own = {
    epoch: 0,
    epochId: '',
    calls: 20,
    failures: 20,
    streak: 0,
    open: false,
    nextId: `${target}-1`,
  };
  return { target, ...own, terms: tripTerms, openTerms, ...more };
}

export function claim(view: FleetView, token: string, more: Partial<Claim> = {}): Claim {
  const own = { probes: 3, timeoutMs: 100, marginMs: 50, defer: false, nextId: `${token}-next` };
  return { target: view.target, epochId: view.epochId, token, ...own, ...more };
}

export function verdict(
  view: FleetView,
  token: string,
  what: Verdict['verdict'],
  more: Partial<Verdict> = {},
): Verdict {
  const { target, epochId } = view;
  return { target, epochId, token, verdict: what, openTerms, nextId: `${token}-settled`, ...more };
}

export function seed(view: Partial<FleetView> & { target: string }, nextId = 'seeded'): Seed {
  const own: Omit<FleetView, 'target'> = {
    epoch: 5,
    epochId: 'believed',
    state: 'open',
    remainingMs: 800,
    openMs: 1_000,
    openings: 2,
    forced: null,
    forcedVersion: 0,
    forcedToken: '',
    reporters: 0,
  };
  return { view: { ...own, ...view }, maxOpenMs: 2_000, nextId };
}

export function force(target: string, state: Force['state'], baseVersion: number, token: string): Force {
  return { target, state, baseVersion, token, nextId: `${token}-forced` };
}
