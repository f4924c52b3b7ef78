import type { Target } from '../target.ts';
import type { VirtualClock } from '../time/virtual-clock.ts';

/** Ten calls a second in virtual time, of which `share` fail, evenly spread over all that it makes. */
export function trafficOn(target: Target, clock: VirtualClock) {
  let sent = 0;
  return async (share: number, ms: number): Promise<void> => {
    for (let left = ms; left > 0; left -= 100) {
      sent++;
      const fails = Math.floor(sent * share) > Math.floor((sent - 1) * share);
      await target.run(() => ({ status: fails ? 500 : 200 })).catch(() => {});
      await clock.advance(100);
    }
  };
}
