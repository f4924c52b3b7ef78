import type { TripRule } from '../trip-rule.ts';

/** Too great a share of the window's calls was slow. */
export const slowCallRate: TripRule = {
  name: 'slow-call-rate',
  trips: ({ calls, slow }, settings) =>
    settings.slowCallMs !== undefined &&
    calls >= settings.minimumCalls &&
    slow >= settings.slowCallRate * calls,
};
