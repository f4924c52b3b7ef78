export type ProbeVerdict = 'succeeded' | 'failed' | 'unused';

/** How a half-open circuit is tried: who may send a probe, and what follows from the verdicts. */
export interface Trial {
  /** Probes that may be sent now. */
  freeAt(now: number): number;
  /** Books a probe under `token`; false where none may be sent. */
  grant(token: number, now: number): boolean;
  /** Books a probe's verdict; false when the token holds no lease. */
  settle(token: number, verdict: ProbeVerdict, now: number): boolean;
  holds(token: number): boolean;
  /** Ends the leases whose time is over. */
  expire(now: number): void;
  readonly decision: 'close' | 'reopen' | undefined;
  /** When the last lease that ran out did so. */
  readonly lastExpiry: number;
  /** Ms until a place may come free. */
  waitMs(now: number): number;
}
