import type { Clock } from '../../time/clock.ts';
import type { FleetEntry, FleetView, Heartbeat, Snapshot } from '../store.ts';
import { text } from './input.ts';
import { Members } from './members.ts';
import { NewsStream } from './news-stream.ts';
import { TargetRecord } from './record.ts';
import { type Call, Turn } from './turn.ts';

const MOST_UNSETTLED = 1_000;
/** Of them, how many a snapshot brings. */
const MOST_IN_SNAPSHOT = 50;

export interface Input {
  readonly target: string;
  readonly nextId: string;
}

export type Operation<I, R> = (record: TargetRecord, turn: Turn, input: I) => R;

export interface Reply<R> {
  readonly result: R;
  readonly view: FleetView;
}

/** What one service's replicas share. Each of its methods is one call: `now` is whole ms by the memory's clock. */
export class MemoryFleet {
  readonly stream: NewsStream;
  readonly #members = new Members();
  readonly #records = new Map<string, TargetRecord>();

  constructor(clock: Clock) {
    this.stream = new NewsStream(clock);
  }

  /** Runs `operate` on the record of each input's target. All that has changed is published at once. */
  each<I extends Input, R>(
    { replica, run, now }: Pick<Call, 'replica' | 'run' | 'now'>,
    inputs: readonly I[],
    operate: Operation<I, R>,
  ): Reply<R>[] {
    const changed: FleetView[] = [];
    const asked: string[] = [];
    const call: Call = {
      replica,
      run,
      now,
      isAlone: () => this.#members.isAlone(replica, now),
      ask: (target) => asked.push(target),
    };
    const replies = inputs.map((input) => {
      const record = this.#record(text(input.target), now);
      const turn = new Turn(call, text(input.nextId));
      if (record.epoch > 0) {
        record.repair(now);
        record.checkPrimary(turn);
      }
      const result = operate(record, turn, input);
      this.#keep(record, now);
      const view = record.view(now);
      if (turn.news) changed.push(view);
      return { result, view };
    });
    this.#members.drop(now);
    this.#publish(now, changed, asked);
    return replies;
  }

  heartbeat(replica: string, now: number): Heartbeat {
    this.#members.beat(replica, now);
    this.#dropOthers(now);
    const unsettled = this.#unsettled(now).slice(0, MOST_UNSETTLED);
    return {
      live: this.#members.count,
      cursor: this.stream.cursor,
      unsettled: unsettled.map(({ target, epoch }) => ({ target, epoch })),
    };
  }

  leave(replica: string): void {
    this.#members.leave(replica);
  }

  snapshot(targets: readonly string[], now: number): Snapshot {
    const named = targets.map((target) => this.#record(text(target), now));
    const records = new Map(
      [...this.#unsettled(now).slice(0, MOST_IN_SNAPSHOT), ...named].map((record) => [record.target, record]),
    );
    const views = [...records.values()].map((record) => {
      const view = record.view(now);
      return { ...view, remainingMs: Math.min(view.remainingMs, view.openMs) };
    });
    return { cursor: this.stream.cursor, views };
  }

  /** Records that are open, those of low epochs first; then those that a person holds closed. */
  #unsettled(now: number): TargetRecord[] {
    const records = [...this.#records.values()].filter((record) => isKept(record, now));
    const open = records.filter(({ state }) => state === 'open').sort((a, b) => a.epoch - b.epoch);
    return [...open, ...records.filter(({ state, forced }) => state !== 'open' && forced !== null)];
  }

  #record(target: string, now: number): TargetRecord {
    const record = this.#records.get(target);
    return record !== undefined && isKept(record, now) ? record : new TargetRecord(target);
  }

  #keep(record: TargetRecord, now: number): void {
    if (record.epoch === 0) return;
    record.touchedAt = now;
    this.#records.set(record.target, record);
  }

  #dropOthers(now: number): void {
    for (const [target, record] of this.#records) if (!isKept(record, now)) this.#records.delete(target);
  }

  #publish(now: number, changed: readonly FleetView[], asked: readonly string[]): void {
    if (changed.length === 0 && asked.length === 0) return;
    const entries: FleetEntry[] = changed.map((view) => ({ kind: 'view', view }));
    if (asked.length > 0) entries.push({ kind: 'ask', targets: asked });
    this.stream.publish(now, entries);
  }
}

function isKept(record: TargetRecord, now: number): boolean {
  return record.isSound && !record.isIdle(now);
}
