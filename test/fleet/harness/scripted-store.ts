import { vi } from 'vitest';
import {
  type ClaimReply,
  type FleetEntry,
  type FleetNews,
  type FleetView,
  type Heartbeat,
  type Report,
  STORE_OPERATIONS,
  type Store,
} from '../../../packages/core/src/store/store.ts';
import type { Clock } from '../../../packages/core/src/time/clock.ts';

/** A view, closed unless said otherwise. */
export function viewOf(target: string, more: Partial<FleetView> = {}): FleetView {
  const { epoch = 1 } = more;
  return {
    target,
    epoch,
    epochId: epoch === 0 ? '' : `${target}-${epoch}`,
    state: 'closed',
    remainingMs: 0,
    openMs: 0,
    openings: 0,
    forced: null,
    forcedVersion: 0,
    forcedToken: '',
    reporters: 0,
    ...more,
  };
}

/** A view of an open target. */
export function openView(target: string, more: Partial<FleetView> = {}): FleetView {
  return viewOf(target, { state: 'open', remainingMs: 1_000, openMs: 1_000, openings: 1, ...more });
}

/** What a report finds, or creates. */
function recordOf({ target, epoch, epochId, nextId }: Report): FleetView {
  return viewOf(target, epoch > 0 ? { epoch, epochId } : { epochId: nextId });
}

/**
 * A store whose answers the test writes. Unless told otherwise everything is closed and nobody gets a lease; a read
 * waits for news from the test, for as long as it was to wait.
 */
export class ScriptedStore implements Store {
  readonly #clock: Clock;
  /** The last entry of the stream. */
  cursor = '0-0';
  /** What the heartbeat tells. */
  live = 1;
  unsettled: Heartbeat['unsettled'] = [];
  /** Wakes the read that waits. */
  #wake: ((news: FleetNews) => void) | undefined;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  open = vi.fn<Store['open']>();
  heartbeat = vi.fn<Store['heartbeat']>(async () => {
    const { live, cursor, unsettled } = this;
    return { live, cursor, unsettled };
  });
  leave = vi.fn<Store['leave']>(async () => undefined);
  report = vi.fn<Store['report']>(async (_, reports) => reports.map(recordOf));
  claim = vi.fn<Store['claim']>(async (_, { target }) => ({ leaseMs: undefined, view: openView(target) }));
  renew = vi.fn<Store['renew']>(async (_, { target }) => ({ leaseMs: undefined, view: openView(target) }));
  settle = vi.fn<Store['settle']>(async (_, { target }) => ({ counted: true, view: openView(target) }));
  seed = vi.fn<Store['seed']>(async (_, seeds) => seeds.map(({ view }) => view));
  force = vi.fn<Store['force']>(async (_, { target }) => ({ accepted: true, view: viewOf(target) }));
  snapshot = vi.fn<Store['snapshot']>(async () => ({ cursor: this.cursor, views: [] }));
  close = vi.fn<Store['close']>(async () => undefined);
  read = vi.fn<Store['read']>(
    (cursor, waitMs, signal) =>
      new Promise((resolve, reject) => {
        const timer = this.#clock.setTimer(() => end({ cursor, entries: [] }), waitMs);
        const end = (news: FleetNews) => {
          timer.cancel();
          resolve(news);
        };
        this.#wake = end;
        signal.addEventListener('abort', () => {
          timer.cancel();
          reject(new Error('aborted'));
        });
      }),
  );

  /** News for whoever reads. */
  tell(cursor: string, ...entries: FleetEntry[]): void {
    this.cursor = cursor;
    this.#wake?.({ cursor, entries });
  }

  /** The next call of the operation waits for its answer. @returns what gives it */
  hold(name: 'claim' | 'renew'): (reply: ClaimReply) => void {
    let answer: (reply: ClaimReply) => void = () => {};
    const reply = new Promise<ClaimReply>((resolve) => {
      answer = resolve;
    });
    this[name].mockReturnValueOnce(reply);
    return answer;
  }

  /** From now on all operations reject, but for those named. */
  fail(...but: (keyof Store)[]): void {
    for (const name of STORE_OPERATIONS) {
      if (!but.includes(name)) (this[name] as typeof this.leave).mockImplementation(refuse);
    }
  }

  /** Everything is answered again as at first. */
  recover(): void {
    for (const name of STORE_OPERATIONS) this[name].mockReset();
  }

  /** How often a writing operation was called. */
  get writes(): number {
    const { heartbeat, report, claim, renew, settle, seed, force } = this;
    return [heartbeat, report, claim, renew, settle, seed, force].reduce(
      (sum, { mock }) => sum + mock.calls.length,
      0,
    );
  }
}

async function refuse(): Promise<never> {
  throw new Error('the store is gone');
}
