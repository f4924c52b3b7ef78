import type { Random } from '@healix/core/parts';
import type { Appointment } from './calendar.ts';
import type { Timeline } from './timeline.ts';
import { SHORTEST_DELAY_MS, WALL_START_MS } from './timeline-clock.ts';

/** A timer as Node gives it, as far as libraries use it. */
class VirtualTimeout {
  appointment: Appointment | undefined;

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  hasRef(): boolean {
    return true;
  }
}

/**
 * Puts the timeline in place of the timers, `Date`, `performance.now` and `Math.random` of this thread, for libraries that
 * take them from there; returns what puts them back. Errors are made without stack traces meanwhile: they would be half of
 * the time that a run takes.
 */
export function replaceGlobals(timeline: Timeline, random: Random): () => void {
  const restores = [
    replace(globalThis, timersOf(timeline)),
    replace(globalThis, { Date: dateOf(timeline) }),
    replace(performance, { now: () => timeline.now }),
    replace(Math, { random: () => random.next() }),
    replace(Error, { stackTraceLimit: 0 }),
  ];
  return () => {
    for (const restore of restores) restore();
  };
}

function replace(owner: object, replacements: Readonly<Record<string, unknown>>): () => void {
  const before = Object.keys(replacements).map(
    (name) => [name, Object.getOwnPropertyDescriptor(owner, name)] as const,
  );
  for (const [name, value] of Object.entries(replacements)) {
    Object.defineProperty(owner, name, { value, configurable: true, writable: true });
  }
  return () => {
    for (const [name, descriptor] of before) {
      if (descriptor === undefined) Reflect.deleteProperty(owner, name);
      else Object.defineProperty(owner, name, descriptor);
    }
  };
}

type Callback = (...args: unknown[]) => void;

function timersOf(timeline: Timeline) {
  const start = (timeout: VirtualTimeout, callback: () => void, delayMs: number) => {
    timeout.appointment = timeline.at(timeline.now + delayMs, callback);
  };
  const clear = (timeout?: VirtualTimeout) => timeout?.appointment?.cancel();
  const set = (delayMs: number, callback: Callback, args: unknown[], again: boolean) => {
    const timeout = new VirtualTimeout();
    const fire = () => {
      if (again) start(timeout, fire, delayMs);
      callback(...args);
    };
    start(timeout, fire, delayMs);
    return timeout;
  };
  const delay = (ms: number | undefined) => Math.max(SHORTEST_DELAY_MS, Math.trunc(ms ?? 0));
  return {
    setTimeout: (callback: Callback, ms?: number, ...args: unknown[]) =>
      set(delay(ms), callback, args, false),
    setInterval: (callback: Callback, ms?: number, ...args: unknown[]) =>
      set(delay(ms), callback, args, true),
    setImmediate: (callback: Callback, ...args: unknown[]) => set(0, callback, args, false),
    clearTimeout: clear,
    clearInterval: clear,
    clearImmediate: clear,
  };
}

function dateOf(timeline: Timeline): DateConstructor {
  const nowMs = () => Math.floor(timeline.now + WALL_START_MS);
  return class extends Date {
    constructor(...args: [number] | []) {
      super(...(args.length === 0 ? ([nowMs()] as [number]) : args));
    }

    static override now(): number {
      return nowMs();
    }
  } as DateConstructor;
}
