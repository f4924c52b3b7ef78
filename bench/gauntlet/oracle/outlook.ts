import type { CallRequest } from '../world/call-request.ts';
import type { Truth } from '../world/truth.ts';

/** Quantiles of the standard normal distribution. */
const Z95 = 1.645;
const Z99 = 2.326;
const Z999 = 3.09;
/** A host this much slower than the best is used only when the others have too much to do. */
const MUCH_SLOWER = 3;
/** Too much to do: what the hosts need so many ms for. */
const PRESSED_MS = 500;

/** What will become of a request that is sent now. */
export class Outlook {
  readonly #truth: Truth;

  constructor(truth: Truth) {
    this.#truth = truth;
  }

  anyFree(): boolean {
    for (let host = 0; host < this.#truth.hosts; host++) if (this.#truth.free(host) > 0) return true;
    return false;
  }

  /**
   * The free host that is likely to answer soonest; undefined where it is better to wait.
   *
   * @param held how many other requests wait
   */
  hostFor(request: CallRequest, held: number, now: number): number | undefined {
    let best: number | undefined;
    let bestCost = Number.POSITIVE_INFINITY;
    let cheapest = Number.POSITIVE_INFINITY;
    for (let host = 0; host < this.#truth.hosts; host++) {
      const cost = this.#costMs(request, host, now);
      cheapest = Math.min(cheapest, cost);
      if (cost < bestCost && this.#truth.free(host) > 0) {
        bestCost = cost;
        best = host;
      }
    }
    return bestCost > MUCH_SLOWER * cheapest && !this.#isPressed(held, now) ? undefined : best;
  }

  /** An answer takes at most so long, almost surely, where a server begins at once. */
  sureMs(now: number): number {
    let ms = Number.POSITIVE_INFINITY;
    for (let host = 0; host < this.#truth.hosts; host++) ms = Math.min(ms, this.#truth.serviceMs(host, now));
    return quantileMs(ms, this.#truth.sigma, Z99) + this.#truth.networkMs(now);
  }

  /** An attempt that has taken so long has gone wrong. */
  overdueMs(host: number, now: number): number {
    return quantileMs(this.#truth.serviceMs(host, now), this.#truth.sigma, Z999) + this.#truth.networkMs(now);
  }

  /** Expected ms until a good answer; infinite where there will be none, or where it is better to wait. */
  #costMs(request: CallRequest, host: number, now: number): number {
    const truth = this.#truth;
    const errors = truth.errorShare(host, request.route, now);
    if (errors >= 1 || breaksFirst(truth, request, host, now)) return Number.POSITIVE_INFINITY;
    const behind = truth.behind(request);
    if (behind !== undefined && allBreakFirst(behind, request, now)) return Number.POSITIVE_INFINITY;
    return truth.serviceMs(host, now) / (1 - errors);
  }

  #isPressed(held: number, now: number): boolean {
    let perMs = 0;
    for (let host = 0; host < this.#truth.hosts; host++) {
      perMs += this.#truth.servers / this.#truth.serviceMs(host, now);
    }
    return held > perMs * PRESSED_MS;
  }
}

/** Whether the host breaks before it will have answered, and is well again in time for another try. */
function breaksFirst(truth: Truth, request: CallRequest, host: number, now: number): boolean {
  const breaksAt = truth.breaksAt(host, now);
  if (breaksAt <= now) return true;
  if (breaksAt === Number.POSITIVE_INFINITY) return false;
  const ms = quantileMs(truth.serviceMs(host, now), truth.sigma, Z95) + truth.networkMs(now);
  return breaksAt < now + ms && truth.mendsAt(host, breaksAt) + ms < request.deadlineAt;
}

function allBreakFirst(truth: Truth, request: CallRequest, now: number): boolean {
  for (let host = 0; host < truth.hosts; host++) if (!breaksFirst(truth, request, host, now)) return false;
  return true;
}

/** A quantile of a log-normal distribution. */
function quantileMs(mean: number, sigma: number, z: number): number {
  return mean * Math.exp(z * sigma - (sigma * sigma) / 2);
}
