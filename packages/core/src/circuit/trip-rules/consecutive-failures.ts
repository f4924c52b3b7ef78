import type { TripRule } from '../trip-rule.ts';

/** So many times `consecutiveFailures` in a row are no chance, whatever the traffic. */
const BEYOND_CHANCE = 4;

/**
 * Failures in a row. With little traffic a few are enough, since the rates would wait for ever. With much, a
 * few in a row are chance (five of five happen once in a thousand calls when one host of four is bad), so it
 * takes more of them; that is still sooner than an outage outweighs the healthy calls in the window.
 */
export const consecutiveFailures: TripRule = {
  name: 'consecutive-failures',
  trips: ({ calls, streak, streakMs }, settings) =>
    streak >= Math.max(settings.minimumCalls, BEYOND_CHANCE * settings.consecutiveFailures) ||
    (calls < settings.minimumCalls &&
      streak >= settings.consecutiveFailures &&
      streakMs <= settings.consecutiveWithinMs),
};
