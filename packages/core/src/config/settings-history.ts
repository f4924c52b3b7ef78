import { ConfigError } from '../errors.ts';
import type { TargetOptions } from './schema.ts';
import type { TierName } from './tier-names.ts';

/** Who changed a target's settings. */
export type SettingsAuthor = 'user' | 'recovery' | 'controller';

/** One change of a target's settings. */
export interface SettingsChange {
  /** The version that it made; a target begins with version 1. */
  readonly version: number;
  /** Wall-clock ms since 1970. */
  readonly at: number;
  readonly author: SettingsAuthor;
  readonly reason: string | undefined;
  readonly change: object;
}

/** What a version can be made of again. */
interface Settled {
  /** All that was updated by then. */
  readonly updates: TargetOptions | undefined;
  /** The tier that the target was moved to, if it was. */
  readonly tier: TierName | undefined;
}

interface Kept extends Settled {
  readonly change: SettingsChange;
}

const BEGINNING: Settled = { updates: undefined, tier: undefined };

const MOST_KEPT = 100;

/** The last hundred changes of a target's settings. */
export class SettingsHistory {
  readonly #kept: Kept[] = [];

  get changes(): readonly SettingsChange[] {
    return this.#kept.map(({ change }) => change);
  }

  note(change: SettingsChange, { updates, tier }: Settled): void {
    if (this.#kept.length === MOST_KEPT) this.#kept.shift();
    this.#kept.push({ change, updates, tier });
  }

  /** What had been updated and moved while `version` was in force. @throws ConfigError where that is not kept */
  at(version: number): Settled {
    if (version === 1) return BEGINNING;
    const found = this.#kept.find(({ change }) => change.version === version);
    if (found !== undefined) return found;
    const [first, last] = [this.#kept[0], this.#kept.at(-1)];
    const known = first === undefined ? '' : `, or from ${first.change.version} to ${last?.change.version}`;
    throw new ConfigError('rollback.version', version, `1${known}`);
  }
}
