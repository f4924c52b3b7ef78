import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus, loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { contenders } from '../contenders.ts';
import { find } from '../job.ts';
import { run } from '../run.ts';
import { scenarios } from '../scenarios.ts';
import { runOnLoopback } from './run.ts';

/** The same on real servers, for some: whether virtual time tells the truth. */
const SCENARIOS = ['one-host-hangs', 'half-errors', 'down'];
const CONTENDERS = ['timeout', 'opossum, tuned', 'cockatiel, tuned', 'healix, basic'];
const SEED = 1;
/** So few that this machine is not what is measured. */
const LOAD = { perSecond: 50 };

const { values } = parseArgs({
  options: {
    scenario: { type: 'string', multiple: true },
    contender: { type: 'string', multiple: true },
  },
});
const rows = [];
for (const scenarioName of values.scenario ?? SCENARIOS) {
  for (const contenderName of values.contender ?? CONTENDERS) {
    const scenario = { ...find(scenarios, 'scenario', scenarioName), load: LOAD };
    const contender = find(contenders, 'contender', contenderName);
    const real = await runOnLoopback(scenario, contender, SEED);
    const virtual = await run(scenario, contender, { seed: SEED });
    const row = {
      scenario: scenarioName,
      contender: contenderName,
      goodOnLoopback: share(real.good / real.offered),
      goodInVirtualTime: share(virtual.good / virtual.offered),
      p50OnLoopback: Math.round(real.p50 ?? Number.NaN),
      p50InVirtualTime: Math.round(virtual.p50 ?? Number.NaN),
      extraOnLoopback: share(real.extraAttempts),
      extraInVirtualTime: share(virtual.extraAttempts),
      unsafe: real.unsafe,
    };
    console.log(Object.values(row).join('  '));
    rows.push(row);
  }
}
console.table(rows);
if (values.scenario === undefined && values.contender === undefined) {
  const file = new URL('../results/loopback.json', import.meta.url);
  const load = share(loadavg()[0] ?? 0);
  const found = { seed: SEED, node: process.version, cpu: cpus()[0]?.model, load, rows };
  mkdirSync(new URL('.', file), { recursive: true });
  writeFileSync(file, `${JSON.stringify(found, null, 1)}\n`);
  console.log(`written: ${file.pathname}`);
}

function share(value: number): number {
  return Number(value.toFixed(3));
}
