import { seededRandom } from '@healix/core/testing';
import type { Contender } from './contender.ts';
import { FIGURES } from './figures.ts';
import { type Scenario, shapeOf, type Times, timesOf } from './scenario.ts';
import { type Measures, Tally } from './tally.ts';
import { arrivals } from './world/arrivals.ts';
import type { Answer } from './world/attempt.ts';
import { CallRequest, type RequestTerms } from './world/call-request.ts';
import { draw, FOR } from './world/dice.ts';
import { FaultSchedule } from './world/faults.ts';
import { Timeline } from './world/timeline.ts';
import { clockOf } from './world/timeline-clock.ts';
import { hasRoom } from './world/truth.ts';
import { type Dependency, Upstream, type UpstreamMeter } from './world/upstream.ts';
import { replaceGlobals } from './world/virtual-globals.ts';

export interface RunOptions {
  readonly seed: number;
  /** Of the service times. Default: the harness's. */
  readonly sigma?: number;
}

/** Ids of a user's later tries lie so far apart. */
const TRY_STRIDE = 2 ** 22;

/** One contender in one scenario. The same seed gives the same requests, luck and faults to each. */
export async function run(
  scenario: Scenario,
  contender: Contender,
  { seed, sigma = FIGURES.sigma }: RunOptions,
): Promise<Measures> {
  const timeline = new Timeline();
  const random = seededRandom(Math.imul(seed, 0x85ebca6b) ^ 0x27d4eb2f);
  const restore = replaceGlobals(timeline, random);
  try {
    const times = timesOf(scenario, timeline.now, seed);
    const tally = new Tally(times);
    new Callers(scenario, contender, timeline, times, tally, seed, sigma).begin();
    await timeline.run(times.endsAt);
    return tally.measures;
  } finally {
    restore();
  }
}

/** Those who send requests, whatever becomes of the ones before. */
class Callers {
  readonly #scenario: Scenario;
  readonly #contender: Contender;
  readonly #timeline: Timeline;
  readonly #times: Times;
  readonly #tally: Tally;
  readonly #seed: number;
  readonly #upstream: Upstream;
  readonly #call: (request: CallRequest) => Promise<Answer>;

  constructor(
    scenario: Scenario,
    contender: Contender,
    timeline: Timeline,
    times: Times,
    tally: Tally,
    seed: number,
    sigma: number,
  ) {
    this.#scenario = scenario;
    this.#contender = contender;
    this.#timeline = timeline;
    this.#times = times;
    this.#tally = tally;
    this.#seed = seed;
    const faults = new FaultSchedule(scenario.faults ?? [], times);
    const behind = this.#behind(sigma);
    this.#upstream = new Upstream(timeline, seed, shapeOf(scenario, sigma), faults, tally, behind);
    this.#call = this.#protect(this.#upstream);
  }

  begin(): void {
    const coming = arrivals(this.#scenario.load ?? {}, this.#times, this.#seed);
    const next = () => {
      const { value: terms } = coming.next();
      if (terms === undefined) return;
      this.#timeline.at(terms.at, () => {
        this.#ask(terms, 0);
        next();
      });
    };
    next();
  }

  #ask(terms: RequestTerms, tries: number): void {
    const request = new CallRequest(terms, this.#timeline);
    this.#tally.arrived(request);
    let ended = false;
    const end = (answer: Answer | undefined) => {
      if (ended) return;
      ended = true;
      request.answered();
      this.#end(request, answer, tries);
    };
    this.#call(request).then(end, () => end(undefined));
    if (this.#scenario.load?.userRetries) this.#timeline.at(request.deadlineAt, () => end(undefined), true);
  }

  #end(request: CallRequest, answer: Answer | undefined, tries: number): void {
    const { now } = this.#timeline;
    if (answer !== undefined && answer.status < 400 && now <= request.deadlineAt) {
      this.#tally.good(request, answer, now);
      return;
    }
    if (request.attempts === 0 && hasRoom(this.#upstream, request, now)) this.#tally.refusedWithRoom(request);
    if (this.#scenario.load?.userRetries && tries < FIGURES.userRetries) this.#askAgain(request, tries + 1);
  }

  #askAgain(request: CallRequest, tries: number): void {
    const id = request.id + TRY_STRIDE;
    const at = this.#timeline.now + FIGURES.userRetryMs * draw(this.#seed, id, 0, FOR.userRetry);
    if (at >= this.#times.arrivalsEndAt) return;
    const { idempotent, priority, route } = request;
    const terms = { id, at, deadlineAt: at + FIGURES.deadlineMs, idempotent, priority, route };
    this.#timeline.at(at, () => this.#ask(terms, tries));
  }

  #protect(upstream: Upstream): (request: CallRequest) => Promise<Answer> {
    const hosts = Array.from({ length: upstream.hosts }, (_, host) => `host-${host}`);
    return this.#contender.make({
      clock: clockOf(this.#timeline),
      random: seededRandom(this.#seed),
      hosts,
      send: (host, request, signal) =>
        upstream.send(host === undefined ? undefined : hosts.indexOf(host), request, signal),
      truth: upstream,
    });
  }

  #behind(sigma: number): Dependency | undefined {
    const { behind } = this.#scenario;
    if (behind === undefined) return undefined;
    const faults = new FaultSchedule(behind.faults, this.#times);
    const { hosts, serversPerHost, queuePerHost, serviceMs } = FIGURES;
    const shape = { hosts, serversPerHost, queuePerHost, serviceMs, sigma };
    const upstream = new Upstream(this.#timeline, this.#seed + 1, shape, faults, this.#unsafeOnly());
    return { routes: behind.routes, truth: upstream, call: this.#protect(upstream) };
  }

  /** What is behind the upstream counts for nothing but its unsafe repeats. */
  #unsafeOnly(): UpstreamMeter {
    return { sent: () => {}, began: (attempt) => this.#tally.begunBehind(attempt) };
  }
}
