// Plays scenarios with many seeds: `npm run soak:model -- --runs 10000 --seed 1`. The exit code is 1 where something
// happened that must not.
import { parseArgs } from 'node:util';
import type { Backend } from './backend.ts';
import type { Scenario } from './scenario.ts';
import { findSwitch } from './switches.ts';
import { takeAway } from './without.ts';

const PROGRESS_MS = 10_000;

const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '500' },
    /** Of the first run of each scenario; then the next one, and so on. */
    seed: { type: 'string', default: '1' },
    scenario: { type: 'string' },
    /** The name of a switch: the protocol without that rule. */
    without: { type: 'string' },
    /** Stops at the first violation. */
    first: { type: 'boolean', default: false },
    /** Tells the story of runs without violations too. */
    trace: { type: 'boolean', default: false },
  },
});

for (const option of ['runs', 'seed'] as const) {
  const given = values[option];
  if (!/^[1-9]\d{0,8}$/.test(given))
    throw new Error(`--${option} is ${given}; a whole number from 1 is wanted`);
}

const change = values.without === undefined ? undefined : takeAway(findSwitch(values.without));
// Loaded now, so that the rule is away from all that is loaded.
const { Backend: Started } = await import('./backend.ts');
const { scenarios } = await import('./scenarios.ts');
const chosen = scenarios.filter(({ name }) => values.scenario === undefined || values.scenario === name);
if (chosen.length === 0) throw new Error(`no scenario is called ${values.scenario}`);
const backend = await Started.start(change);
try {
  await soak(backend, chosen);
} finally {
  await backend.stop();
}

async function soak(backend: Backend, chosen: readonly Scenario[]): Promise<void> {
  const { play } = await import('./play.ts');
  let runs = Number(values.runs);
  const failed = new Map<string, number>();
  const began = performance.now();
  let toldAt = began;
  for (let run = 0; run < runs; run++) {
    const scenario = chosen[run % chosen.length] as Scenario;
    const seed = Number(values.seed) + Math.floor(run / chosen.length);
    const { violations, trace } = await play(backend, scenario, seed);
    if (violations.length > 0) failed.set(scenario.name, (failed.get(scenario.name) ?? 0) + 1);
    if (violations.length > 0 && values.first) runs = run + 1;
    if (violations.length > 0 || values.trace) {
      console.log(`\n--scenario '${scenario.name}' --seed ${seed} --runs 1\n${trace}`);
    }
    if (performance.now() - toldAt < PROGRESS_MS) continue;
    toldAt = performance.now();
    console.log(summary(run + 1, failed, toldAt - began));
  }
  console.log(summary(runs, failed, performance.now() - began));
  for (const [name, count] of failed) console.log(`  ${count} of '${name}'`);
  if (failed.size > 0) process.exitCode = 1;
}

function summary(runs: number, failed: ReadonlyMap<string, number>, ms: number): string {
  const bad = [...failed.values()].reduce((sum, count) => sum + count, 0);
  return `${runs} runs, ${bad} with violations, ${((runs * 1_000) / ms).toFixed(1)} runs/s`;
}
