import { monitorEventLoopDelay, performance } from 'node:perf_hooks';

/** How far timers were put off since the last reset, in ms. */
export interface LoopDelay {
  readonly meanMs: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}

/** What is measured of an event loop. Tests put one of their own in its place. */
export interface LoopMeter {
  /** Share of the time in which the loop was not idle, since the last call. */
  utilization(): number;
  /** Delays since the last call, or since `start`. */
  delay(): LoopDelay;
  /** From now on delays are measured, at the cost of a timer that does not keep the process alive. */
  start(): void;
  stop(): void;
}

/** Ms between two looks at the delay. */
const RESOLUTION_MS = 20;
const NS_PER_MS = 1e6;

/** The event loop of this thread, by `perf_hooks`. */
export function systemLoopMeter(): LoopMeter {
  const histogram = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  let last = performance.eventLoopUtilization();
  return {
    utilization() {
      const present = performance.eventLoopUtilization();
      const { utilization } = performance.eventLoopUtilization(present, last);
      last = present;
      return utilization;
    },
    delay() {
      const { count, mean, max } = histogram;
      const found = count === 0 ? NO_DELAY : delayOf(mean, histogram.percentile(99), max);
      histogram.reset();
      return found;
    },
    start() {
      last = performance.eventLoopUtilization();
      histogram.reset();
      histogram.enable();
    },
    stop() {
      histogram.disable();
    },
  };
}

const NO_DELAY: LoopDelay = { meanMs: 0, p99Ms: 0, maxMs: 0 };

/** The histogram holds whole intervals: what they are longer than the resolution is delay. */
function delayOf(mean: number, p99: number, max: number): LoopDelay {
  const beyond = (ns: number) => Math.max(0, ns / NS_PER_MS - RESOLUTION_MS);
  return { meanMs: beyond(mean), p99Ms: beyond(p99), maxMs: beyond(max) };
}
