import type { Appointment, Calendar } from './calendar.ts';

/** One attempt, as a host sees it. */
export interface Work {
  /** What it will take once a server begins with it, in ms. Drawn when it begins. */
  begin(now: number): number;
  /** The server has done its part; true if it stays taken until `release` (it waits for something itself). */
  done(release: () => void): boolean;
  /** The host is gone with all that it was doing. */
  lost(): void;
}

/**
 * One host: a number of servers, and a queue in order of arrival. It works on what it has taken whether or not somebody
 * still waits for it.
 */
export class Host {
  readonly servers: number;
  readonly #calendar: Calendar;
  readonly #queueLimit: number;
  readonly #onFree: () => void;
  readonly #quiet: () => boolean;
  readonly #running = new Set<Running>();
  #queue: Work[] = [];
  #head = 0;
  #frozenAt: number | undefined;
  busy = 0;

  /** @param quiet whether nobody's promise can be settled by the end of a work */
  constructor(
    calendar: Calendar,
    servers: number,
    queueLimit: number,
    onFree: () => void,
    quiet: () => boolean,
  ) {
    this.servers = servers;
    this.#calendar = calendar;
    this.#queueLimit = queueLimit;
    this.#onFree = onFree;
    this.#quiet = quiet;
  }

  get waiting(): number {
    return this.#queue.length - this.#head;
  }

  get frozen(): boolean {
    return this.#frozenAt !== undefined;
  }

  /** False when the queue is full. */
  take(work: Work): boolean {
    if (this.busy < this.servers && !this.frozen) this.#start(work);
    else if (this.waiting < this.#queueLimit) this.#queue.push(work);
    else return false;
    return true;
  }

  /** Nothing goes on until `thaw`. */
  freeze(): void {
    if (this.frozen) return;
    this.#frozenAt = this.#calendar.now;
    for (const { entry } of this.#running) entry.cancel();
  }

  thaw(): void {
    if (this.#frozenAt === undefined) return;
    const stoodMs = this.#calendar.now - this.#frozenAt;
    this.#frozenAt = undefined;
    for (const running of this.#running) {
      running.entry = this.#calendar.at(running.entry.at + stoodMs, () => this.#done(running), this.#quiet());
    }
    this.#fill();
  }

  /** All that it was doing, or had queued, is lost. */
  crash(): void {
    const lost = [...this.#running].map(({ work }) => work).concat(this.#queue.slice(this.#head));
    for (const { entry } of this.#running) entry.cancel();
    this.#running.clear();
    this.#queue = [];
    this.#head = 0;
    this.busy = 0;
    for (const work of lost) work.lost();
  }

  #start(work: Work): void {
    this.busy++;
    const endsAt = this.#calendar.now + work.begin(this.#calendar.now);
    const running: Running = {
      work,
      entry: this.#calendar.at(endsAt, () => this.#done(running), this.#quiet()),
    };
    this.#running.add(running);
  }

  #done(running: Running): void {
    const release = () => {
      if (!this.#running.delete(running)) return;
      this.busy--;
      this.#fill();
      this.#onFree();
    };
    if (!running.work.done(release)) release();
  }

  #fill(): void {
    while (this.busy < this.servers && this.waiting > 0 && !this.frozen) {
      const work = this.#queue[this.#head++] as Work;
      if (this.#head > 1_000) {
        this.#queue = this.#queue.slice(this.#head);
        this.#head = 0;
      }
      this.#start(work);
    }
  }
}

interface Running {
  readonly work: Work;
  entry: Appointment;
}
