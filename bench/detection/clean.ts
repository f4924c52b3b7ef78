import { Chance } from './chance.ts';
import { drawService, type Rhythm, type Series, type Service, STEADY, wave } from './series.ts';
import type { Moment } from './traffic.ts';

/** A way in which a healthy service may look odd. */
interface Oddity {
  readonly kind: string;
  readonly count: number;
  readonly hours: number;
  readonly rates: readonly [number, number];
  draw(chance: Chance): {
    readonly service?: Partial<Service>;
    readonly rhythm?: Rhythm;
    readonly pollShare?: number;
  };
}

const USUAL_RATES = [2, 2_000] as const;

const ODDITIES: readonly Oddity[] = [
  { kind: 'steady', count: 40, hours: 1, rates: USUAL_RATES, draw: () => ({}) },
  { kind: 'low traffic', count: 60, hours: 2, rates: [0.02, 2], draw: () => ({}) },
  {
    kind: 'daily rhythm',
    count: 20,
    hours: 24,
    rates: [0.5, 100],
    draw: (chance) => ({ rhythm: wave(chance, 86_400, chance.between(0.5, 0.95)) }),
  },
  {
    kind: 'period of minutes',
    count: 40,
    hours: 1,
    rates: USUAL_RATES,
    draw: (chance) => ({ rhythm: wave(chance, chance.logBetween(60, 3_600), chance.between(0.3, 0.8)) }),
  },
  { kind: 'bursts', count: 40, hours: 1, rates: [1, 500], draw: (chance) => ({ rhythm: bursts(chance) }) },
  {
    kind: 'on and off',
    count: 40,
    hours: 2,
    rates: [2, 500],
    draw: (chance) => ({ rhythm: onAndOff(chance) }),
  },
  {
    kind: 'heavy tail',
    count: 40,
    hours: 1,
    rates: [1, 2_000],
    draw: (chance) => ({ service: { sigma: chance.between(1, 1.6), medianMs: chance.logBetween(5, 50) } }),
  },
  {
    kind: 'errors of 1 to 4 %',
    count: 40,
    hours: 1,
    rates: USUAL_RATES,
    draw: (chance) => ({ service: { failureRate: chance.between(0.01, 0.04) } }),
  },
  {
    kind: 'restless latency',
    count: 40,
    hours: 1,
    rates: USUAL_RATES,
    draw: (chance) => ({
      service: { noise: { rate: 0.1, latency: chance.between(0.12, 0.25), failures: 0.3 } },
    }),
  },
  {
    kind: 'hiccups',
    count: 40,
    hours: 1,
    rates: USUAL_RATES,
    draw: (chance) => ({ rhythm: hiccups(chance) }),
  },
  {
    kind: 'slow drift',
    count: 20,
    hours: 2,
    rates: USUAL_RATES,
    draw: (chance) => ({ rhythm: drifting(chance) }),
  },
  {
    kind: 'long polls',
    count: 20,
    hours: 1,
    rates: [1, 200],
    draw: (chance) => ({ pollShare: chance.between(0.01, 0.2) }),
  },
];

/** Series of services that are well, each in a way of its own. */
export function cleanSeries(seed: number): Series[] {
  let next = seed * 100_000 + 50_000;
  return ODDITIES.flatMap((oddity) =>
    Array.from({ length: oddity.count }, () => clean(oddity, new Chance(next++))),
  );
}

function clean({ kind, hours, rates, draw }: Oddity, chance: Chance): Series {
  const rate = chance.logBetween(...rates);
  const odd = draw(chance);
  const { noise, ...service } = { ...drawService(chance), ...odd.service };
  const { rhythm = STEADY, pollShare = 0 } = odd;
  return {
    kind,
    rate,
    seconds: hours * 3_600,
    noise,
    fault: undefined,
    at: (second): Moment => ({
      ...service,
      rate: rate * rhythm.rate(second),
      medianMs: service.medianMs * rhythm.latency(second),
      tailShare: 0,
      tailFactor: 1,
      hangShare: 0,
      pollShare,
    }),
  };
}

/** Every now and then several times the traffic for some seconds. */
function bursts(chance: Chance): Rhythm {
  const factor = chance.between(3, 10);
  const isBurst = episodes(chance, [10, 120], [1, 10]);
  return {
    rate: (second) => (isBurst(second) ? factor : 1),
    latency: (second) => (isBurst(second) ? 1.3 : 1),
  };
}

/** Work that comes in batches. */
function onAndOff(chance: Chance): Rhythm {
  const isOff = episodes(chance, [20, 180], [20, 180]);
  return { rate: (second) => (isOff(second) ? 0.01 : 1), latency: () => 1 };
}

/** A pause of half a second now and then, as of a garbage collection. */
function hiccups(chance: Chance): Rhythm {
  const isHiccup = episodes(chance, [5, 90], [0.5, 0.5]);
  const factor = chance.between(3, 10);
  return { rate: () => 1, latency: (second) => (isHiccup(second) ? factor : 1) };
}

/** Half as slow again, or quicker, and half or twice the traffic, within the time. */
function drifting(chance: Chance): Rhythm {
  const hour = 3_600;
  const rate = chance.between(-1, 1);
  const latency = chance.between(-0.4, 0.4);
  return {
    rate: (second) => 2 ** ((rate * second) / hour),
    latency: (second) => Math.exp((latency * second) / hour),
  };
}

/** Tells whether an episode is under way; to be asked in the order of time. */
function episodes(
  chance: Chance,
  apart: readonly [number, number],
  long: readonly [number, number],
): (second: number) => boolean {
  let from = chance.between(...apart);
  let until = from + chance.between(...long);
  return (second) => {
    while (second >= until) {
      from = until + chance.between(...apart);
      until = from + chance.between(...long);
    }
    return second >= from;
  };
}
