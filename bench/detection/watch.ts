import {
  type Anomaly,
  AnomalyDetector,
  detectByThreshold,
  type HealthMonitor,
  type HealthSample,
} from '@healix/core/parts';
import { Chance } from './chance.ts';
import type { Series } from './series.ts';
import { STEP_S, Traffic } from './traffic.ts';

/** One way of finding that something is wrong. */
export interface Watcher {
  look(sample: HealthSample, monitor: HealthMonitor, now: number): Anomaly | undefined;
}

export interface Alarm {
  readonly kind: string;
  /** In s. */
  readonly from: number;
  until: number;
}

/** The advanced tier's. */
export function learning(): Watcher {
  const detector = new AnomalyDetector();
  return { look: (sample, _monitor, now) => detector.look(sample, now) };
}

/** The basic tier's, with the settings that stand in `docs/settings.md`. */
export function threshold(): Watcher {
  const settings = {
    proveMs: 2_000,
    calmMs: 1_000,
    escalateAfterMs: 10_000,
    maxLevel: 6,
    anomalyRate: 0.1,
    anomalyCalls: 10,
    preferFallback: false,
    saturation: 0.9,
  };
  return {
    look(_sample, monitor, now) {
      const anomaly = detectByThreshold(monitor, 'closed', settings, now);
      monitor.sample(now);
      return anomaly;
    },
  };
}

/** All alarms of each watcher over a series, which is played once. */
export function watch(series: Series, index: number, watchers: readonly Watcher[]): Alarm[][] {
  const traffic = new Traffic(new Chance(index), series.noise);
  const alarms = watchers.map((): Alarm[] => []);
  const open: (Alarm | undefined)[] = watchers.map(() => undefined);
  for (let second = 0; second < series.seconds; second += STEP_S) {
    const sample = traffic.next(series.at(second));
    const at = second + STEP_S;
    watchers.forEach((watcher, i) => {
      const anomaly = watcher.look(sample, traffic.monitor, at * 1_000);
      const under = open[i];
      if (anomaly === undefined) open[i] = undefined;
      else if (under !== undefined) under.until = at;
      else {
        const alarm = { kind: anomaly.kind, from: at, until: at };
        open[i] = alarm;
        alarms[i]?.push(alarm);
      }
    });
  }
  return alarms;
}
