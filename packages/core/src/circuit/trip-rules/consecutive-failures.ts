import type { CircuitSettings } from '../../config/schema.ts';
import type { TripRule } from '../trip-rule.ts';

/** So many times `consecutiveFailures` in a row are no chance, whatever the traffic. */
const BEYOND_CHANCE = 4;

/** So many failures in a row open a circuit whatever the traffic. */
export function longestStreak({ minimumCalls, consecutiveFailures }: CircuitSettings): number {
  return Math.max(minimumCalls, BEYOND_CHANCE * consecutiveFailures);
}

/**
 * Failures in a row. With little traffic a few are enough, since the rates would wait for ever. With much, a
 * few in a row are chance (five of five happen once in a thousand calls when one host of four is bad), so it
 * takes more of them; that is still sooner than an outage outweighs the healthy calls in the window.
 */
export const consecutiveFailures: TripRule = {
  name: 'consecutive-failures',
  trips: ({ calls, streak, streakMs }, settings) =>
    streak >= longestStreak(settings) ||
    (calls < settings.minimumCalls &&
      streak >= settings.consecutiveFailures &&
      streakMs <= settings.consecutiveWithinMs),
};
