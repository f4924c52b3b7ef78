import { parseArgs } from 'node:util';
import { printSection, type Section, writeResults } from '../report.ts';
import { measureCallCost } from './call-cost.ts';
import { measureClientCpu } from './client-cpu.ts';
import { measureMemory } from './memory.ts';
import { measureServerCpu } from './server-cpu.ts';

const LEAST_PAIRS = 40;

const { values } = parseArgs({ options: { only: { type: 'string' }, pairs: { type: 'string' } } });
const pairs = Number(values.pairs ?? LEAST_PAIRS);
const parts: Record<string, () => Promise<Section>> = {
  'call-cost': measureCallCost,
  memory: measureMemory,
  servers: () => measureServerCpu(pairs),
  clients: () => measureClientCpu(pairs),
};
if (values.only !== undefined && !(values.only in parts)) {
  throw new Error(`--only ${values.only}: there are ${Object.keys(parts).join(', ')}`);
}
if (!(pairs >= 1)) throw new Error(`--pairs ${values.pairs}: give a number of pairs`);
if (globalThis.gc === undefined) throw new Error('run with node --expose-gc');

for (const [name, measure] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\nmeasuring: ${name} …`);
  const section = await measure();
  printSection(section);
  if (pairs >= LEAST_PAIRS) console.log(`\nwritten: ${writeResults(`overhead-${name}`, section)}`);
  else console.log('\nnot written: of fewer pairs than are to be kept');
}
