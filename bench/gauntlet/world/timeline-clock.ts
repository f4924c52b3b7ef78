import type { Clock } from '@healix/core/parts';
import type { Timeline } from './timeline.ts';

/** What the timeline's zero is on the wall. */
export const WALL_START_MS = Date.UTC(2026, 0, 1);
/** As in Node, where a timer of 0 ms waits for 1. */
export const SHORTEST_DELAY_MS = 1;

/** The timeline as healix's source of time. */
export function clockOf(timeline: Timeline): Clock {
  return {
    now: () => timeline.now,
    wall: () => timeline.now + WALL_START_MS,
    setTimer(callback, delayMs) {
      const entry = timeline.at(timeline.now + Math.max(SHORTEST_DELAY_MS, delayMs), callback);
      return { cancel: () => entry.cancel(), keepAlive: () => {} };
    },
    afterPoll: (callback) => {
      timeline.at(timeline.now, callback);
    },
  };
}
