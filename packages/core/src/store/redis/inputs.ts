import type { Claim, Force, Report, Seed, Verdict } from '../store.ts';

// What the scripts take: the headers of the .lua files say what it means.

export const reportInput = ({ epoch, epochId, ...report }: Report) => ({
  ...report,
  ep: epoch,
  eid: epochId,
});

export const claimInput = ({ epochId, ...claim }: Claim) => ({ ...claim, eid: epochId });

export const verdictInput = ({ epochId, ...verdict }: Verdict) => ({ ...verdict, eid: epochId });

export const forceInput = ({ target, state, token, baseVersion, nextId }: Force) => ({
  target,
  state: state ?? '',
  token,
  base: baseVersion,
  nextId,
});

export const seedInput = ({ view, maxOpenMs, nextId }: Seed) => ({
  target: view.target,
  ep: view.epoch,
  eid: view.epochId,
  st: view.state,
  rem: view.remainingMs,
  dur: view.openMs,
  n: view.openings,
  f: view.forced ?? '',
  fv: view.forcedVersion,
  ftok: view.forcedToken,
  maxOpenMs,
  nextId,
});
