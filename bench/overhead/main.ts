import { parseArgs } from 'node:util';
import { printSection, type Section, writeResults } from '../report.ts';
import { measureCallCost } from './call-cost.ts';
import { measureFrameworkCpu } from './framework-cpu.ts';
import { measureMemory } from './memory.ts';

const LEAST_PAIRS = 40;

const { values } = parseArgs({ options: { only: { type: 'string' }, pairs: { type: 'string' } } });
const pairs = Number(values.pairs ?? LEAST_PAIRS);
const parts: Record<string, () => Promise<Section>> = {
  'call-cost': measureCallCost,
  memory: measureMemory,
  frameworks: () => measureFrameworkCpu(pairs),
};
if (values.only !== undefined && !(values.only in parts)) {
  throw new Error(`--only ${values.only}: there are ${Object.keys(parts).join(', ')}`);
}
if (!(pairs >= 1)) throw new Error(`--pairs ${values.pairs}: give a number of pairs`);
if (globalThis.gc === undefined) throw new Error('run with node --expose-gc');

const sections: Section[] = [];
for (const [name, measure] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\nmeasuring: ${name} …`);
  const section = await measure();
  printSection(section);
  sections.push(section);
}
if (values.only === undefined && pairs >= LEAST_PAIRS) {
  console.log(`\nwritten: ${writeResults('overhead', sections)}`);
} else {
  console.log('\nnot written: only a whole run is kept');
}
