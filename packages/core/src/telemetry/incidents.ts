import type { HealthSnapshot } from '../health/monitor.ts';

export interface IncidentReport {
  readonly id: string;
  readonly target: string;
}
export type X = HealthSnapshot;
