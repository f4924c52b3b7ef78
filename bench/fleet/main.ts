import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { writeMarkdown } from '../markdown.ts';
import { printSection, type Section, writeResults } from '../report.ts';
import { measureDecision } from './decision.ts';
import { measureFanOut } from './fan-out.ts';
import { measureOutages } from './outages.ts';
import { measureRequestPath } from './request-path.ts';
import { measureScriptTimes } from './script-times.ts';
import { measureTraffic } from './traffic.ts';

const { values } = parseArgs({ options: { only: { type: 'string' }, quick: { type: 'boolean' } } });
const quick = values.quick === true;
const parts: Record<string, (quick: boolean) => Promise<Section>> = {
  traffic: measureTraffic,
  'script-times': measureScriptTimes,
  decision: measureDecision,
  'request-path': measureRequestPath,
  'fan-out': measureFanOut,
  outages: measureOutages,
};
if (values.only !== undefined && !(values.only in parts)) {
  throw new Error(`--only ${values.only}: there are ${Object.keys(parts).join(', ')}`);
}

for (const [name, measure] of Object.entries(parts)) {
  if (values.only !== undefined && values.only !== name) continue;
  console.log(`\nmeasuring: ${name} …`);
  const load = `Load of the machine before the start (one minute's average): ${loadavg()[0]?.toFixed(1)}.`;
  const { notes, ...found } = await measure(quick);
  const section = { ...found, notes: [...notes, load] };
  printSection(section);
  if (quick) {
    console.log('\nnot written: of fewer repetitions than are to be kept');
    continue;
  }
  console.log(`\nwritten: ${writeResults(`fleet-${name}`, section)}`);
  console.log(`written: ${writeMarkdown('fleet', 'What sharing circuits costs', Object.keys(parts))}`);
}
