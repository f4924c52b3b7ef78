import type { RequestTerms } from './call-request.ts';

/** What an oracle knows of an upstream: its state now, and its faults to come; not the luck of an attempt. */
export interface Truth {
  readonly hosts: number;
  readonly servers: number;
  /** Standard deviation of the logarithm of the service time. */
  readonly sigma: number;
  /** Servers of the host that would begin at once. */
  free(host: number): number;
  /** Mean service time now, in ms. */
  serviceMs(host: number, now: number): number;
  errorShare(host: number, route: number, now: number): number;
  /** When the host is next down, or hangs; `now` where it is. */
  breaksAt(host: number, now: number): number;
  /** When the host that breaks at that time is well again. */
  mendsAt(host: number, brokenAt: number): number;
  networkMs(now: number): number;
  /** When the upstream's own limit next lets a request in. */
  admitsAt(now: number): number;
  /** What the upstream itself asks for the request, if it asks anything. */
  behind(request: RequestTerms): Truth | undefined;
  /** Has `callback` called when a server is free, or something begins or ends to be wrong. */
  onChange(callback: () => void): void;
}

/** Whether a request would be worked on at once, and might succeed: to refuse it then helps nobody. */
export function hasRoom(truth: Truth, request: RequestTerms, now: number): boolean {
  const behind = truth.behind(request);
  if (behind !== undefined && !hasRoom(behind, request, now)) return false;
  if (truth.admitsAt(now) > now) return false;
  for (let host = 0; host < truth.hosts; host++) {
    const isWell = truth.breaksAt(host, now) > now && truth.errorShare(host, request.route, now) < 1;
    if (isWell && truth.free(host) > 0) return true;
  }
  return false;
}
