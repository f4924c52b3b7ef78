import type { Clock, Timer } from './clock.ts';
import type { Random } from './random.ts';
import { type Timed, TimerWheel } from './timer-wheel.ts';

/** Ms between refreshes of the coarse time, and the precision of every deadline. */
export const TICK_MS = 20;
/** A tick later than this means that the event loop was blocked. */
const STALL_MS = 100;
/** One stall in so long is a surprise. A process that is blocked again and again fails for reasons like any other's. */
const RARE_MS = 10_000;
/** Another within so long is its aftershock: what had to wait is worked off, or the machine is still busy. */
const AFTERSHOCK_MS = 500;
const IDLE_TICKS_BEFORE_SLEEP = 50;
/** Where a tick turns out to have far more calls than the one before, one in so many is timed from there on. */
const SPARSE_STRIDE = 16;
/** Its multiples, without their whole part, come near every fraction. */
const GOLDEN = (Math.sqrt(5) - 1) / 2;
const LONGEST_STRIDE = 1_024;

/** Work that rides on the tick. Returns true while it needs the ticks to go on without traffic. */
export type TickListener = (now: number) => boolean;

/**
 * The time that the request path reads: refreshed every 20 ms while there is traffic, asleep otherwise.
 *
 * It also keeps the clock budget, since a read of the real clock costs more than all else on the path: while
 * a tick sees no more than `exactPerTick` calls, each is timed exactly; above that, one in 16 at random,
 * whatever came before (a fixed stride would alias with periodic traffic, and even distances miss the start
 * of bursts). Each timed call carries the weight of those that it stands for, so that a histogram of weights
 * is an unbiased sample.
 */
export class CoarseTime {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  /** Deadlines that the process need not live for. */
  readonly idleWheel: TimerWheel;
  /** Coarse monotonic ms. Stale while asleep: `read()` is for those off the request path. */
  now: number;
  /** Calls that began before this moment, and end after it, ran across a blocked event loop. */
  stallEnd = Number.NEGATIVE_INFINITY;
  /** Whether the last stall came as a surprise, or with one: any other says nothing for whoever fails. */
  stallIsRare = true;
  /** How often the event loop was found blocked for more than 100 ms. */
  stalls = 0;
  /** Ms for which nothing here could run, in all: what limits the patience with others leaves them out. */
  lostMs = 0;
  /** The number of ticks so far. */
  ticks = 0;

  /** How many calls the one that entered last stands for if it is to be timed exactly; 0 if it is not. */
  weight = 0;

  /** Whether something beside the wheel wants the process to live. */
  #wanted = false;

  readonly random: Random;
  readonly #exactPerTick: number;
  readonly #listeners = new Set<TickListener>();
  #timer: Timer | undefined;
  #asleep = true;
  #holdsProcess = false;
  #calls = 0;
  #stride = 1;
  #countdown: number;
  #lastRareStall = Number.NEGATIVE_INFINITY;
  #lastRareEnd = Number.NEGATIVE_INFINITY;
  /** How long the last stall was; and how long those were whose aftershock it is. */
  #stallMs = 0;
  #beforeMs = 0;
  #idleTicks = 0;
  #asked = 0;
  #watched = 1;
  #tickDue = 0;
  /** No deadline is judged until a poll phase has passed. */
  #pollsFirst = false;

  /** @param onError told what those throw whose deadline has come */
  constructor(clock: Clock, random: Random, onError: (error: unknown) => void, exactPerTick = 64) {
    this.clock = clock;
    this.now = clock.now();
    this.wheel = new TimerWheel(TICK_MS, this.now, onError);
    this.idleWheel = new TimerWheel(TICK_MS, this.now, onError);
    this.random = random;
    this.#exactPerTick = exactPerTick;
    this.#countdown = exactPerTick * SPARSE_STRIDE;
  }

  /**
   * The time for one more call, exact where it is to be timed; wakes the ticker when it slept. The first thing
   * that runs after a stall may be a call: it must not take what the coarse time was before for the present.
   */
  enter(): number {
    if (this.#asleep) this.#wake();
    this.#calls++;
    this.weight = this.#sampleWeight();
    return this.weight === 0 ? this.now : this.read();
  }

  /** The real time, which also refreshes the coarse one. It may tell of a stall before the late tick has run. */
  read(): number {
    const now = this.clock.now();
    if (now - this.#tickDue > STALL_MS) this.#noteStall(now);
    this.now = now;
    return now;
  }

  /** Coarse time for the end of a call: it does not wake the ticker, nor count. */
  current(): number {
    return this.#asleep ? this.read() : this.now;
  }

  /** Ms of the last stall, and of those whose aftershock it is, for a call that began at `start`, before its end. */
  stallMsFor(start: number): number {
    return start < this.#lastRareEnd ? this.#beforeMs + this.#stallMs : this.#stallMs;
  }

  /** True for one of those who ask in a tick, now an early one and now a late one. */
  isWatched(): boolean {
    return ++this.#asked === this.#watched;
  }

  /** Has the wheel expire `entry` at its deadline, and the process live until then. */
  await(entry: Timed): void {
    this.wheel.add(entry);
    if (!this.#holdsProcess) this.#holdProcess();
  }

  /** Has the idle wheel expire `entry` at its deadline, if the process lives until then. */
  watch(entry: Timed): void {
    this.idleWheel.add(entry);
    this.ensureAwake();
  }

  /** True while something waits for its deadline. */
  get busy(): boolean {
    return this.wheel.busy || this.idleWheel.busy;
  }

  ensureAwake(): void {
    if (this.#asleep) this.#wake();
  }

  /** Has the process live for the sake of somebody who waits, or no longer. */
  keepAlive(yes: boolean): void {
    this.#wanted = yes;
    if (yes && !this.#holdsProcess) this.#holdProcess();
  }

  onTick(listener: TickListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  stop(): void {
    this.#timer?.cancel();
    this.#timer = undefined;
    this.#asleep = true;
    this.#holdsProcess = false;
  }

  #noteStall(now: number): void {
    if (this.#asleep) return;
    if (this.stallEnd < this.#tickDue) this.#beginStall();
    this.lostMs += now - Math.max(this.#tickDue, this.stallEnd);
    this.#stallMs = now - this.#tickDue;
    this.stallEnd = now;
    if (this.#lastRareStall === this.#tickDue) this.#lastRareEnd = now;
  }

  #beginStall(): void {
    this.stalls++;
    const isAftershock = this.#tickDue - this.#lastRareEnd < AFTERSHOCK_MS;
    this.#beforeMs = isAftershock ? this.#beforeMs + this.#stallMs : 0;
    if (isAftershock) return;
    this.stallIsRare = this.#tickDue - this.#lastRareStall >= RARE_MS;
    if (this.stallIsRare) this.#lastRareStall = this.#tickDue;
  }

  #wake(): void {
    this.now = this.clock.now();
    this.#asleep = false;
    this.#idleTicks = 0;
    this.#arm();
  }

  #arm(): void {
    this.#tickDue = this.now + TICK_MS;
    this.#timer = this.clock.setTimer(() => this.#tick(), TICK_MS);
    this.#holdsProcess = this.#wanted || this.wheel.busy;
    if (this.#holdsProcess) this.#timer.keepAlive(true);
  }

  #holdProcess(): void {
    if (this.#asleep) this.#wake();
    this.#holdsProcess = true;
    this.#timer?.keepAlive(true);
  }

  #tick(): void {
    const now = this.read();
    const stalled = now - this.#tickDue > STALL_MS;
    this.ticks++;
    this.#watched = 1 + Math.floor(((this.ticks * GOLDEN) % 1) * this.#asked);
    this.#asked = 0;
    this.#budget();
    let wanted = true;
    try {
      if (stalled) this.#judgeAfterPoll(now);
      else if (!this.#pollsFirst) this.#advance(now);
      wanted = this.#tellListeners(now) || this.busy;
    } finally {
      this.#idleTicks = wanted || this.#calls > 0 ? 0 : this.#idleTicks + 1;
      this.#calls = 0;
      if (this.#idleTicks > IDLE_TICKS_BEFORE_SLEEP) this.stop();
      else if (!this.#asleep) this.#arm();
    }
  }

  /**
   * Answers that lie in sockets are read before deadlines are judged: those of `now`, since that reading may take
   * long itself. Where timers take long, the next tick comes before it.
   */
  #judgeAfterPoll(now: number): void {
    if (this.#pollsFirst) return;
    this.#pollsFirst = true;
    this.clock.afterPoll(() => {
      this.#pollsFirst = false;
      this.#advance(now, this.clock.now());
    });
  }

  #advance(now: number, present = now): void {
    this.wheel.advance(now, present);
    this.idleWheel.advance(now, present);
  }

  #tellListeners(now: number): boolean {
    let wanted = false;
    for (const listener of this.#listeners) if (listener(now)) wanted = true;
    return wanted;
  }

  #budget(): void {
    this.#stride = Math.min(LONGEST_STRIDE, Math.max(1, Math.ceil(this.#calls / this.#exactPerTick)));
    this.#countdown = this.#stride === 1 ? this.#exactPerTick * SPARSE_STRIDE : this.#gap();
  }

  #sampleWeight(): number {
    if (--this.#countdown > 0) return this.#stride === 1 ? 1 : 0;
    return this.#sampleAndRearm();
  }

  #sampleAndRearm(): number {
    const weight = this.#stride;
    if (weight === 1) this.#stride = SPARSE_STRIDE;
    this.#countdown = this.#gap();
    return weight;
  }

  /** Calls until the next timed one: geometric, so that a new tick may draw anew without a bias. */
  #gap(): number {
    return 1 + Math.floor(Math.log(1 - this.random.next()) / Math.log(1 - 1 / this.#stride));
  }
}
