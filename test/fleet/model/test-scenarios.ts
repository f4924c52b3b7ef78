import { afterAll, beforeAll, expect, test } from 'vitest';
import { Backend } from './backend.ts';
import { play } from './play.ts';
import type { Scenario } from './scenario.ts';

/** The scenarios that there are times this make more than 500 runs. */
const SEEDS = 8;
/** For all of its runs, on a machine that is busy. */
const PATIENCE_MS = 180_000;

/** Plays each scenario with some seeds; any number of others: `npm run soak:model`. */
export function testScenarios(scenarios: readonly Scenario[]): void {
  let backend: Backend;

  beforeAll(async () => {
    backend = await Backend.start();
  });

  afterAll(() => backend.stop());

  async function tell(scenario: Scenario, seed: number): Promise<string> {
    const { violations, trace } = await play(backend, scenario, seed);
    expect(violations, `seed ${seed}\n${trace}`).toEqual([]);
    return trace;
  }

  test.each(scenarios)(
    '$name',
    async (scenario) => {
      const first = await tell(scenario, 1);
      for (let seed = 2; seed <= SEEDS; seed++) await tell(scenario, seed);
      const again = await tell(scenario, 1);
      expect(again, 'the same seed tells the same story').toBe(first);
    },
    PATIENCE_MS,
  );
}
