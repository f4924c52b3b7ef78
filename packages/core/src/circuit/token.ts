// A breaker's tokens count up from 1. These stand in the place of one.

/** No permit. */
export const REFUSED = 0;
/** A call that the breaker has no part in. */
export const UNJUDGED = -1;
/** A call that only observe mode has let in. */
export const WOULD_REFUSE = -2;
/** A call that observe mode has booked as timed out. */
export const TIMED_OUT = -3;
/** A call that passes untouched. */
export const OFF = -4;

/** What a circuit that is not closed has for a token: no call bears it. */
export const NONE = -5;

/** Whether healing would have ended this call by now: refused it, or cut it short. */
export function isBeyondHealing(token: number): boolean {
  return token === WOULD_REFUSE || token === TIMED_OUT;
}
