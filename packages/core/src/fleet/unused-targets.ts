import type { FleetView } from '../store/store.ts';

const MOST = 1_000;

/** What is known of targets that are not closed and that this process has not used yet, and until when it holds. */
export class UnusedTargets {
  readonly #views = new Map<string, { view: FleetView; until: number }>();

  remember(view: FleetView, now: number): void {
    const known = this.#views.get(view.target);
    if (known !== undefined && known.view.epoch > view.epoch) return;
    if (view.state === 'closed' && view.forced === null) this.#views.delete(view.target);
    else if (!this.#isFull) this.#views.set(view.target, { view, until: now + view.remainingMs });
  }

  /** Whether the record is to be read: it has an epoch that is not known here, and there is room for it. */
  lacks(target: string, epoch: number): boolean {
    const known = this.#views.get(target);
    return known === undefined ? !this.#isFull : known.view.epoch !== epoch;
  }

  /** The target is used from now on. @returns what is known of it */
  take(target: string, now: number): FleetView | undefined {
    const known = this.#views.get(target);
    if (known === undefined) return undefined;
    this.#views.delete(target);
    return { ...known.view, remainingMs: Math.max(0, known.until - now) };
  }

  /** All others are closed. */
  keepOnly(unsettled: ReadonlySet<string>): void {
    for (const target of this.#views.keys()) if (!unsettled.has(target)) this.#views.delete(target);
  }

  get #isFull(): boolean {
    return this.#views.size >= MOST;
  }
}
