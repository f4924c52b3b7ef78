import type { TripRule } from '../trip-rule.ts';

/** Too great a share of the window's calls failed. */
export const failureRate: TripRule = {
  name: 'failure-rate',
  trips: ({ calls, failures }, settings) =>
    calls >= settings.minimumCalls && failures >= settings.failureRate * calls,
};
