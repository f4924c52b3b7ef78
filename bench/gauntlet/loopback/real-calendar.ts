import type { Appointment, Calendar } from '../world/calendar.ts';

/** Real time in the world's terms. */
export class RealCalendar implements Calendar {
  get now(): number {
    return performance.now();
  }

  at(time: number, run: () => void): Appointment {
    const timeout = setTimeout(run, Math.max(0, time - this.now));
    return { at: time, cancel: () => clearTimeout(timeout) };
  }
}
