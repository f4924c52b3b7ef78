import { Chance } from './chance.ts';
import { drawService, type Rhythm, type Series, STEADY, wave } from './series.ts';
import type { Moment } from './traffic.ts';

/** What a fault does, `seconds` after its start, to what would be without it. */
type Fault = (healthy: Moment, seconds: number) => Partial<Moment>;

const FAULT_S = 120;
const RAMP_S = 60;
const AFTER_S = 180;
const RATES = [1, 5, 20, 100, 500, 2_000] as const;

const errors =
  (share: number): Fault =>
  ({ failureRate }) => ({ failureRate: Math.max(failureRate, share) });
const slower =
  (factor: number): Fault =>
  ({ medianMs }) => ({ medianMs: medianMs * factor });
const ramped = (seconds: number) => Math.min(1, seconds / RAMP_S);

const FAULTS: Readonly<Record<string, Fault>> = {
  'errors 10 %': errors(0.1),
  'errors 20 %': errors(0.2),
  'errors 50 %': errors(0.5),
  'errors 100 %': errors(1),
  'errors, ramp to 50 %': ({ failureRate }, seconds) => ({
    failureRate: failureRate + 0.5 * ramped(seconds),
  }),
  'latency x2': slower(2),
  'latency x5': slower(5),
  'latency, ramp to x5': ({ medianMs }, seconds) => ({ medianMs: medianMs * 5 ** ramped(seconds) }),
  'latency, 10 % of calls x10': () => ({ tailShare: 0.1, tailFactor: 10 }),
  'hang of 20 %': () => ({ hangShare: 0.2 }),
  'hang of 100 %': () => ({ hangShare: 1 }),
  'traffic drops to 30 %': ({ rate }) => ({ rate: rate * 0.3 }),
  'traffic stops': () => ({ rate: 0 }),
};

/** Each fault at each rate on three grounds: a steady one, a daily rhythm, and a period of minutes. */
export function faultySeries(seed: number): Series[] {
  const grounds: ((chance: Chance) => Rhythm)[] = [
    () => STEADY,
    (chance) => wave(chance, 86_400, chance.between(0.5, 0.9)),
    (chance) => wave(chance, chance.between(300, 1_800), chance.between(0.2, 0.6)),
  ];
  let next = seed * 100_000;
  return Object.entries(FAULTS).flatMap(([kind, fault]) =>
    RATES.flatMap((rate) =>
      grounds.map((ground) => {
        const chance = new Chance(next++);
        return faulty(kind, fault, rate, ground(chance), chance);
      }),
    ),
  );
}

function faulty(kind: string, fault: Fault, rate: number, rhythm: Rhythm, chance: Chance): Series {
  const { noise, ...service } = drawService(chance);
  const from = Math.floor(chance.between(900, 1_800));
  const until = from + FAULT_S;
  return {
    kind,
    rate,
    seconds: until + AFTER_S,
    noise,
    fault: { from, until },
    at(second) {
      const healthy = {
        ...service,
        rate: rate * rhythm.rate(second),
        medianMs: service.medianMs * rhythm.latency(second),
        tailShare: 0,
        tailFactor: 1,
        hangShare: 0,
        pollShare: 0,
      };
      const isFaulty = second >= from && second < until;
      return isFaulty ? { ...healthy, ...fault(healthy, second - from) } : healthy;
    },
  };
}
