/** `failed`: healing has tried all that it may. `critical`: calls are being refused. */
export type HealthLevel = 'healthy' | 'degraded' | 'critical' | 'failed';

export interface HealthStatus {
  readonly status: HealthLevel;
  /** Why it is not healthy, for people. */
  readonly reasons: readonly string[];
}

/**
 * The health of a whole from that of its parts. One bad part among good ones degrades the whole; it is as bad
 * as its parts when half of them are.
 */
export function combineHealth(parts: Iterable<readonly [string, HealthStatus]>): HealthStatus {
  let total = 0;
  let refusing = 0;
  let failed = 0;
  const reasons: string[] = [];
  for (const [name, { status, reasons: why }] of parts) {
    total++;
    if (status === 'healthy') continue;
    if (status !== 'degraded') refusing++;
    if (status === 'failed') failed++;
    reasons.push(`${name}: ${why.join('; ')}`);
  }
  if (reasons.length === 0) return { status: 'healthy', reasons };
  if (failed * 2 >= total) return { status: 'failed', reasons };
  return { status: refusing * 2 >= total ? 'critical' : 'degraded', reasons };
}

/** The same, and something more that is wrong while answers go on. */
export function degrade({ status, reasons }: HealthStatus, reason: string): HealthStatus {
  return { status: status === 'healthy' ? 'degraded' : status, reasons: [...reasons, reason] };
}
