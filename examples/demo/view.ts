import type { Told } from './messages.ts';
import type { Phase } from './schedule.ts';

/** Shows the demo while it runs. Times are ms since the load began. */
export interface View {
  told(told: Told, at: number): void;
  /** A fault begins, or the one before has ended. */
  phase(phase: Phase | undefined, at: number): void;
  tick(at: number): void;
  end(): void;
}

export function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(1)} s`;
}
