import { ConfigError } from '../errors.ts';
import { builtInStrategies } from './strategies.ts';
import type { Failure, RecoveryStrategy } from './strategy.ts';

/** All recovery strategies, in the order in which they are climbed. */
export class RecoveryRegistry {
  readonly #strategies: RecoveryStrategy[] = [];

  /** @param strategies what it starts with; by default the built-in ones */
  constructor(strategies: readonly RecoveryStrategy[] = builtInStrategies) {
    for (const strategy of strategies) this.register(strategy);
  }

  /**
   * Adds a strategy. Of several at one level the one registered first is tried first.
   *
   * @returns a function that removes it again
   * @throws ConfigError when a part of it is missing, or its name is taken
   */
  register(strategy: RecoveryStrategy): () => void {
    check(strategy);
    if (this.get(strategy.name)) {
      throw new ConfigError('strategy.name', strategy.name, 'a name that no other strategy has');
    }
    this.#strategies.push(strategy);
    this.#strategies.sort((a, b) => a.level - b.level);
    return () => {
      const at = this.#strategies.indexOf(strategy);
      if (at >= 0) this.#strategies.splice(at, 1);
    };
  }

  get(name: string): RecoveryStrategy | undefined {
    return this.#strategies.find((strategy) => strategy.name === name);
  }

  /** The strategies that may help, from the lowest level up. One that throws when asked does not. */
  applicable(
    failure: Failure,
    onError: (strategy: RecoveryStrategy, error: unknown) => void,
  ): RecoveryStrategy[] {
    return this.#strategies.filter((strategy) => {
      try {
        return strategy.level <= failure.settings.recovery.maxLevel && strategy.appliesTo(failure);
      } catch (error) {
        onError(strategy, error);
        return false;
      }
    });
  }
}

const OPTIONAL: ReadonlySet<string> = new Set(['adjust', 'undo']);

function check(strategy: RecoveryStrategy): void {
  if (typeof strategy !== 'object' || strategy === null) {
    throw new ConfigError('strategy', strategy, 'an object with name, level, appliesTo, execute, verify');
  }
  const { name, level } = strategy;
  if (typeof name !== 'string' || name === '') throw new ConfigError('strategy.name', name, 'a text');
  if (!Number.isInteger(level) || level < 0 || level > 6) {
    throw new ConfigError('strategy.level', level, 'a whole number from 0 to 6');
  }
  for (const method of ['appliesTo', 'execute', 'verify', 'adjust', 'undo'] as const) {
    const given = strategy[method];
    if (typeof given !== 'function' && !(OPTIONAL.has(method) && given === undefined)) {
      throw new ConfigError(`strategy.${method}`, given, 'a function');
    }
  }
}
