import type { Chance } from './chance.ts';
import type { Moment, Noise } from './traffic.ts';

/** A service over time, with a fault or without. Times in s. */
export interface Series {
  /** What it is an example of: figures are taken by this name. */
  readonly kind: string;
  readonly rate: number;
  readonly seconds: number;
  readonly noise: Noise;
  readonly fault: { readonly from: number; readonly until: number } | undefined;
  at(second: number): Moment;
}

/** How a healthy service varies: factors over the time. */
export interface Rhythm {
  readonly rate: (second: number) => number;
  readonly latency: (second: number) => number;
}

/** What makes a healthy service: drawn for each series. */
export interface Service
  extends Omit<Moment, 'rate' | 'tailShare' | 'tailFactor' | 'hangShare' | 'pollShare'> {
  readonly noise: Noise;
}

export function drawService(chance: Chance): Service {
  return {
    failureRate: chance.uniform() < 0.3 ? 0 : chance.logBetween(0.0005, 0.01),
    medianMs: chance.logBetween(5, 100),
    sigma: chance.between(0.3, 0.7),
    noise: {
      rate: chance.between(0, 0.15),
      latency: chance.between(0.02, 0.12),
      failures: chance.between(0, 0.5),
    },
  };
}

/** A wave around 1 between 1 - depth and 1 + depth; the latency goes along with it a little. */
export function wave(chance: Chance, periodS: number, depth: number): Rhythm {
  const phase = chance.between(0, 2 * Math.PI);
  const rate = (second: number) => 1 + depth * Math.sin((2 * Math.PI * second) / periodS + phase);
  return { rate, latency: (second) => rate(second) ** 0.2 };
}

export const STEADY: Rhythm = { rate: () => 1, latency: () => 1 };
