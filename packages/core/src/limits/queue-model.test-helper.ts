import type { Outcome } from '../config/schema.ts';
import { type Random, seededRandom } from '../time/random.ts';

/** What is modelled: an upstream of hosts with queues, and callers who come whether it is well or not. */
export interface ModelOptions {
  readonly seconds: number;
  /** Calls a second, Poisson. */
  rate(atMs: number): number;
  /** Mean of the log-normal service time. */
  serviceMs(atMs: number): number;
  /** Time on the way, which takes up no server. */
  networkMs?(atMs: number): number;
  /** Share of calls that fail as soon as a server takes them. */
  failureShare?(atMs: number): number;
  readonly sigma?: number;
  readonly hosts?: number;
  readonly servers?: number;
  /** Places in a host's queue; a call that finds none is refused with `overload`. */
  readonly queue?: number;
  /** How long callers wait. The work of one who gave up goes on. */
  readonly deadlineMs?: number;
  readonly seed?: number;
}

/** What stands between the callers and the upstream. */
export interface Client {
  admits(inFlight: number, now: number): boolean;
  ended(latencyMs: number, outcome: Outcome, inFlight: number, now: number): void;
  tick(now: number): void;
}

/** What came of the calls that were made within one slot of 100 ms. */
interface Slot {
  offered: number;
  refused: number;
  good: number;
  latencyMs: number;
  inFlight: number;
}

export interface Figures {
  readonly slots: readonly Slot[];
  /** Sum over the slots from `fromMs` until `untilMs`. */
  sum(field: keyof Slot, fromMs?: number, untilMs?: number): number;
}

const SLOT_MS = 100;
const TICK_MS = 20;

interface Call {
  readonly begunAt: number;
  readonly slot: Slot;
  over: boolean;
}

interface Host {
  busy: number;
  readonly queue: Call[];
}

/** A run of the model in virtual time; the same seed gives the same calls. */
export function runModel(options: ModelOptions, client: Client): Figures {
  return new Model(options, client).run();
}

class Model {
  readonly #options: Required<ModelOptions>;
  readonly #client: Client;
  readonly #random: Random;
  readonly #serviceRandom: Random;
  readonly #hosts: Host[];
  readonly #events = new EventQueue();
  readonly #slots: Slot[];
  #inFlight = 0;

  constructor(options: ModelOptions, client: Client) {
    this.#options = {
      networkMs: () => 0,
      failureShare: () => 0,
      sigma: 0.5,
      hosts: 4,
      servers: 5,
      queue: 300,
      deadlineMs: 1_000,
      seed: 1,
      ...options,
    };
    this.#client = client;
    this.#random = seededRandom(this.#options.seed);
    this.#serviceRandom = seededRandom(this.#options.seed + 1_000_003);
    this.#hosts = Array.from({ length: this.#options.hosts }, () => ({ busy: 0, queue: [] }));
    const slots = Math.ceil((this.#options.seconds * 1_000) / SLOT_MS);
    this.#slots = Array.from({ length: slots }, () => ({
      offered: 0,
      refused: 0,
      good: 0,
      latencyMs: 0,
      inFlight: 0,
    }));
  }

  run(): Figures {
    const endMs = this.#options.seconds * 1_000;
    const slots = this.#slots;
    for (let at = TICK_MS; at < endMs; at += TICK_MS) this.#events.add(at, () => this.#tick(at));
    this.#scheduleArrival(0, endMs);
    this.#events.drain();
    return {
      slots,
      sum: (field, fromMs = 0, untilMs = endMs) =>
        slots.slice(fromMs / SLOT_MS, untilMs / SLOT_MS).reduce((sum, slot) => sum + slot[field], 0),
    };
  }

  #tick(now: number): void {
    const slot = this.#slots[Math.floor(now / SLOT_MS)];
    if (slot !== undefined) slot.inFlight = this.#inFlight;
    this.#client.tick(now);
  }

  #scheduleArrival(now: number, endMs: number): void {
    const at = now - (Math.log(1 - this.#random.next()) / this.#options.rate(now)) * 1_000;
    if (at >= endMs) return;
    this.#events.add(at, () => {
      this.#arrive(at);
      this.#scheduleArrival(at, endMs);
    });
  }

  #arrive(now: number): void {
    const slot = this.#slots[Math.floor(now / SLOT_MS)] as Slot;
    slot.offered++;
    const host = this.#hosts[Math.floor(this.#random.next() * this.#hosts.length)] as Host;
    if (!this.#client.admits(this.#inFlight, now)) {
      slot.refused++;
      return;
    }
    this.#inFlight++;
    const call: Call = { begunAt: now, slot, over: false };
    const { deadlineMs } = this.#options;
    this.#events.add(now + deadlineMs, () => this.#end(call, 'failure', now + deadlineMs));
    const thereAt = now + this.#options.networkMs(now);
    this.#events.add(thereAt, () => this.#enterHost(host, call, thereAt));
  }

  #enterHost(host: Host, call: Call, now: number): void {
    const { servers, queue, failureShare } = this.#options;
    if (this.#serviceRandom.next() < failureShare(now)) this.#end(call, 'failure', now + 1);
    else if (host.busy < servers) this.#serve(host, call, now);
    else if (host.queue.length < queue) host.queue.push(call);
    else this.#end(call, 'overload', now);
  }

  #serve(host: Host, call: Call, now: number): void {
    host.busy++;
    const at = now + this.#serviceTime(now);
    this.#events.add(at, () => {
      this.#end(call, 'success', at);
      host.busy--;
      const next = host.queue.shift();
      if (next !== undefined) this.#serve(host, next, at);
    });
  }

  #serviceTime(now: number): number {
    const { serviceMs, sigma } = this.#options;
    const normal =
      Math.sqrt(-2 * Math.log(1 - this.#serviceRandom.next())) *
      Math.cos(2 * Math.PI * this.#serviceRandom.next());
    return serviceMs(now) * Math.exp(sigma * normal - (sigma * sigma) / 2);
  }

  #end(call: Call, outcome: Outcome, now: number): void {
    if (call.over) return;
    call.over = true;
    this.#inFlight--;
    const latencyMs = now - call.begunAt;
    if (outcome === 'success') {
      call.slot.good++;
      call.slot.latencyMs += latencyMs;
    }
    this.#client.ended(latencyMs, outcome, this.#inFlight, now);
  }
}

/** Events in the order of their time: a binary heap. */
class EventQueue {
  readonly #heap: { readonly at: number; readonly run: () => void }[] = [];

  add(at: number, run: () => void): void {
    const heap = this.#heap;
    const event = { at, run };
    let index = heap.push(event) - 1;
    while (index > 0) {
      const parent = (index - 1) >> 1;
      const above = heap[parent] as typeof event;
      if (above.at <= at) break;
      heap[index] = above;
      index = parent;
    }
    heap[index] = event;
  }

  drain(): void {
    for (let event = this.#take(); event !== undefined; event = this.#take()) event.run();
  }

  #take() {
    const heap = this.#heap;
    const first = heap[0];
    const last = heap.pop();
    if (first === undefined || last === undefined || heap.length === 0) return first;
    let index = 0;
    for (;;) {
      let child = 2 * index + 1;
      if (child >= heap.length) break;
      const right = heap[child + 1];
      if (right !== undefined && right.at < (heap[child] as typeof last).at) child++;
      if ((heap[child] as typeof last).at >= last.at) break;
      heap[index] = heap[child] as typeof last;
      index = child;
    }
    heap[index] = last;
    return first;
  }
}
