import { FIGURES } from '../figures.ts';
import { type Answer, Attempt, type AttemptHost } from './attempt.ts';
import type { Calendar } from './calendar.ts';
import { CallRequest, type RequestTerms } from './call-request.ts';
import { draw, FOR, logNormal } from './dice.ts';
import type { FaultSchedule } from './faults.ts';
import { Host } from './host.ts';
import { TokenBucket } from './token-bucket.ts';
import type { Truth } from './truth.ts';

export interface UpstreamShape {
  readonly hosts: number;
  readonly serversPerHost: number;
  readonly queuePerHost: number;
  readonly serviceMs: number;
  readonly sigma: number;
}

/** Something that an upstream calls itself, on these routes, while one of its servers waits. */
export interface Dependency {
  readonly routes: readonly number[];
  readonly truth: Truth;
  call(request: CallRequest): Promise<Answer>;
}

/** Told of what is done at an upstream. */
export interface UpstreamMeter {
  sent(request: CallRequest): void;
  began(attempt: Attempt): void;
}

/** Hosts behind a balancer that goes round, and what is wrong with them. */
export class Upstream implements AttemptHost, Truth {
  readonly hosts: number;
  readonly servers: number;
  readonly sigma: number;
  readonly #calendar: Calendar;
  readonly #seed: number;
  readonly #shape: UpstreamShape;
  readonly #faults: FaultSchedule;
  readonly #meter: UpstreamMeter;
  readonly #dependency: Dependency | undefined;
  readonly #hosts: Host[];
  readonly #listeners: (() => void)[] = [];
  #bucket: TokenBucket | undefined;
  #turn = 0;

  constructor(
    calendar: Calendar,
    seed: number,
    shape: UpstreamShape,
    faults: FaultSchedule,
    meter: UpstreamMeter,
    dependency?: Dependency,
  ) {
    this.hosts = shape.hosts;
    this.servers = shape.serversPerHost;
    this.sigma = shape.sigma;
    this.#calendar = calendar;
    this.#seed = seed;
    this.#shape = shape;
    this.#faults = faults;
    this.#meter = meter;
    this.#dependency = dependency;
    const quiet = () => this.#listeners.length === 0 && dependency === undefined;
    this.#hosts = Array.from(
      { length: shape.hosts },
      () => new Host(calendar, shape.serversPerHost, shape.queuePerHost, () => this.#changed(), quiet),
    );
    for (const at of faults.boundaries) calendar.at(at, () => this.#turnFaults());
  }

  send(host: number | undefined, request: CallRequest, signal: AbortSignal | undefined): Promise<Answer> {
    if (signal?.aborted) return Promise.reject(signal.reason);
    return new Promise((resolve, reject) => {
      const chosen = host ?? this.#turn++ % this.hosts;
      const attempt = new Attempt(this, request, chosen, resolve, reject, signal);
      this.#meter.sent(request);
      this.#deliver(attempt);
    });
  }

  #deliver(attempt: Attempt): void {
    const { now } = this.#calendar;
    if (this.#faults.isDown(attempt.host, now)) attempt.fail('ECONNREFUSED');
    else if (this.#bucket?.take(now) === false) attempt.answer(429, { 'retry-after': '1' });
    else if (!this.#hostOf(attempt.host).take(attempt)) attempt.answer(503);
  }

  workMs(attempt: Attempt, now: number): number {
    const { host, number, request } = attempt;
    const roll = (purpose: number) => draw(this.#seed, request.id, number, purpose);
    let ms = logNormal(this.#shape.serviceMs, this.sigma, roll(FOR.service), roll(FOR.serviceTwin));
    ms *= this.#faults.factor(host, now);
    const tail = this.#faults.tail(host, now);
    if (tail !== undefined && roll(FOR.tail) < tail.share) ms *= tail.factor;
    attempt.fails = roll(FOR.error) < this.#faults.errorShare(host, request.route, now);
    return attempt.fails ? ms * FIGURES.errorCost : ms;
  }

  began(attempt: Attempt): void {
    attempt.request.executions++;
    this.#meter.began(attempt);
  }

  ended(attempt: Attempt, release: () => void): boolean {
    if (attempt.fails) {
      attempt.answer(500);
      return false;
    }
    const dependency = this.#dependency;
    if (dependency === undefined || !dependency.routes.includes(attempt.request.route)) {
      attempt.answer(200);
      return false;
    }
    const call = new CallRequest(attempt.request, this.#calendar);
    const answered = (status: number) => {
      call.answered();
      attempt.answer(status);
      release();
    };
    dependency.call(call).then(
      ({ status }) => answered(status < 400 ? 200 : 500),
      () => answered(500),
    );
    return true;
  }

  carry(callback: () => void): void {
    const { now } = this.#calendar;
    this.#calendar.at(now + this.networkMs(now), callback);
  }

  free(host: number): number {
    const { frozen, busy } = this.#hostOf(host);
    return frozen ? 0 : this.servers - busy;
  }

  serviceMs(host: number, now: number): number {
    return this.#shape.serviceMs * this.#faults.factor(host, now);
  }

  errorShare(host: number, route: number, now: number): number {
    return this.#faults.errorShare(host, route, now);
  }

  breaksAt(host: number, now: number): number {
    return this.#faults.breaksAt(host, now);
  }

  mendsAt(host: number, brokenAt: number): number {
    return this.#faults.mendsAt(host, brokenAt);
  }

  networkMs(now: number): number {
    return FIGURES.networkMs + this.#faults.extraNetworkMs(now);
  }

  admitsAt(now: number): number {
    return this.#bucket?.nextAt(now) ?? now;
  }

  behind({ route }: RequestTerms): Truth | undefined {
    return this.#dependency?.routes.includes(route) ? this.#dependency.truth : undefined;
  }

  onChange(callback: () => void): void {
    this.#listeners.push(callback);
  }

  #turnFaults(): void {
    const { now } = this.#calendar;
    const limit = this.#faults.limitPerSecond(now);
    if (limit === undefined) this.#bucket = undefined;
    else this.#bucket ??= new TokenBucket(limit, now);
    for (const [index, host] of this.#hosts.entries()) {
      if (this.#faults.isDown(index, now)) host.crash();
      if (this.#faults.hangs(index, now)) host.freeze();
      else host.thaw();
    }
    this.#changed();
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }

  #hostOf(index: number): Host {
    const host = this.#hosts[index];
    if (host === undefined) throw new RangeError(`host ${index}: there are ${this.hosts}`);
    return host;
  }
}
