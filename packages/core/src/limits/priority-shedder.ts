import type { Priority } from '../config/schema.ts';
import type { Random } from '../time/random.ts';

export interface PriorityShedderOptions {
  /** Load at which the first `low` calls are shed, 0 to 1. Default: 0.7. */
  readonly from?: number | undefined;
  /** Load at which all but `critical` ones are. Default: 0.95. */
  readonly until?: number | undefined;
  /** The load must fall by this much before fewer are shed. Default: 0.05. */
  readonly hysteresis?: number | undefined;
}

/** Those below `critical`, each with a band of its own. */
const BANDS = 3;
const CRITICAL = 3;

/**
 * Sheds calls by how much they matter, cumulatively: none of a class before all of those below it, `critical` ones only
 * as the load nears 1 (WeChat's DAGOR: Zhou et al., SoCC 2018, which sheds by one moving level of admission; the load
 * actions of Envoy's overload manager). The load may waver within the hysteresis without effect, so that classes are
 * not let in and turned away by turns.
 */
export class PriorityShedder {
  readonly #from: number;
  readonly #until: number;
  readonly #hysteresis: number;
  #load = 0;
  /** How far the classes are shed: 1.5 is all of the lowest and half of the next. */
  #level = 0;

  constructor({ from = 0.7, until = 0.95, hysteresis = 0.05 }: PriorityShedderOptions = {}) {
    this.#from = from;
    this.#until = until;
    this.#hysteresis = hysteresis;
  }

  /** @param load 0: nothing to do, 1: no more can be done. Not a number: nothing is known, and it stays as it was */
  update(load: number): void {
    if (Number.isNaN(load)) return;
    const bounded = Math.min(1, Math.max(0, load));
    this.#load = Math.max(bounded, Math.min(this.#load, bounded + this.#hysteresis));
    this.#level = this.#levelOf(this.#load);
  }

  /** Whether this call is to be turned away. */
  sheds(priority: Priority, random: Random): boolean {
    if (this.#level === 0) return false;
    const share = this.shareOf(priority);
    return share > 0 && (share >= 1 || random.next() < share);
  }

  /** The share of the calls of that priority that is shed, 0 to 1. */
  shareOf(priority: Priority): number {
    return Math.min(1, Math.max(0, this.#level - rankOf(priority)));
  }

  #levelOf(load: number): number {
    if (load < this.#from) return 0;
    if (load < this.#until) return (BANDS * (load - this.#from)) / (this.#until - this.#from);
    return CRITICAL + (load - this.#until) / Math.max(Number.EPSILON, 1 - this.#until);
  }
}

function rankOf(priority: Priority): number {
  if (priority === 'low') return 0;
  if (priority === 'normal') return 1;
  return priority === 'high' ? 2 : CRITICAL;
}
