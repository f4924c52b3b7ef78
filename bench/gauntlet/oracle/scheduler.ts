import type { ContenderWorld } from '../contender.ts';
import type { Answer } from '../world/attempt.ts';
import type { CallRequest } from '../world/call-request.ts';
import type { Truth } from '../world/truth.ts';
import { type HeldCall, HeldCalls } from './held-calls.ts';
import { Outlook } from './outlook.ts';

const TOO_LATE = new Error('no server was free in time');

/** One queue for all requests, from which each free server gets the best one for it. */
export class Scheduler {
  readonly #world: ContenderWorld;
  readonly #truth: Truth;
  readonly #outlook: Outlook;
  readonly #held = new HeldCalls();
  #wakesAt = Number.NEGATIVE_INFINITY;

  constructor(world: ContenderWorld) {
    const { truth } = world;
    if (truth === undefined) throw new Error('the oracle plays in virtual time alone');
    this.#world = world;
    this.#truth = truth;
    this.#outlook = new Outlook(truth);
    truth.onChange(() => this.#dispatch());
  }

  call(request: CallRequest): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#held.add({ request, resolve, reject, running: 0, hedged: false, settled: false });
      this.#dispatch();
    });
  }

  #dispatch(): void {
    const now = this.#world.clock.now();
    for (const late of this.#held.takeExpired(now)) settle(late, () => late.reject(TOO_LATE));
    while (this.#held.size > 0 && this.#outlook.anyFree()) {
      const admitsAt = this.#truth.admitsAt(now);
      if (admitsAt > now) {
        this.#wakeAt(admitsAt);
        return;
      }
      if (!this.#sendNext(now)) return;
    }
  }

  #sendNext(now: number): boolean {
    let chosen: number | undefined;
    const call = this.#held.take(now + this.#outlook.sureMs(now), ({ request }) => {
      chosen = this.#outlook.hostFor(request, this.#held.size, now);
      return chosen !== undefined;
    });
    if (call === undefined || chosen === undefined) return false;
    this.#send(call, chosen);
    return true;
  }

  #send(call: HeldCall, host: number): void {
    const { request } = call;
    call.running++;
    this.#world.send(this.#world.hosts[host], request).then(
      (answer) => this.#ended(call, answer.status < 400 ? answer : undefined, answer),
      (error) => this.#ended(call, undefined, error),
    );
    if (request.idempotent && !call.hedged) this.#hedgeLater(call, host);
  }

  #ended(call: HeldCall, good: Answer | undefined, last: unknown): void {
    call.running--;
    if (call.settled) return;
    if (good !== undefined) {
      settle(call, () => call.resolve(good));
    } else if (call.request.idempotent && this.#world.clock.now() < call.request.deadlineAt) {
      if (call.running === 0) this.#held.add(call);
      this.#dispatch();
    } else {
      settle(call, () => call.reject(last));
    }
  }

  /** An attempt that takes far longer than it should is made once more, where servers stand idle. */
  #hedgeLater(call: HeldCall, host: number): void {
    const { clock } = this.#world;
    const afterMs = this.#outlook.overdueMs(host, clock.now());
    if (clock.now() + afterMs >= call.request.deadlineAt) return;
    clock.setTimer(() => {
      const now = clock.now();
      if (call.settled || call.running === 0 || this.#held.size > 0 || this.#truth.admitsAt(now) > now)
        return;
      const other = this.#outlook.hostFor(call.request, 0, now);
      if (other === undefined) return;
      call.hedged = true;
      this.#send(call, other);
    }, afterMs);
  }

  #wakeAt(at: number): void {
    const now = this.#world.clock.now();
    if (this.#wakesAt > now) return;
    this.#wakesAt = at;
    this.#world.clock.setTimer(() => this.#dispatch(), at - now);
  }
}

function settle(call: HeldCall, how: () => void): void {
  call.settled = true;
  how();
}
