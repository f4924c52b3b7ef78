import { mkdirSync, writeFileSync } from 'node:fs';
import { planOf } from './options.ts';
import { workAll } from './pool.ts';
import { printResults } from './report/console.ts';
import { overviewChart } from './report/overview-chart.ts';
import { page } from './report/page.ts';
import { scenarioChart } from './report/scenario-chart.ts';
import { type Results, resultsOf } from './results.ts';

const RESULTS = new URL('./results/', import.meta.url);
const PAGE = new URL('../../docs/gauntlet.md', import.meta.url);

const plan = planOf(process.argv.slice(2));
const done = await workAll(plan.jobs, plan.threads, progress(plan.jobs.length));
const results = resultsOf(done, plan.seeds);
printResults(results);

const requests = done.reduce((sum, { measures }) => sum + measures.requests, 0);
const cpuMs = done.reduce((sum, one) => sum + one.cpuMs, 0);
const speed = Math.round(requests / (cpuMs / 1_000)).toLocaleString('en');
console.log(
  `\n${requests.toLocaleString('en')} requests in ${Math.round(cpuMs / 1_000)} CPU s: ${speed} a CPU s`,
);
if (plan.whole) keep(results);
else console.log('not written: not all scenarios and contenders, or fewer seeds than are to be kept');

function keep(found: Results): void {
  mkdirSync(RESULTS, { recursive: true });
  const write = (name: string, content: string) => writeFileSync(new URL(name, RESULTS), content);
  write('gauntlet.json', `${JSON.stringify(found, null, 1)}\n`);
  write('overview.svg', overviewChart(found));
  for (const scenario of found.scenarios) write(`${scenario.name}.svg`, scenarioChart(scenario));
  writeFileSync(PAGE, page(found));
  console.log(`written: ${RESULTS.pathname}, ${PAGE.pathname}`);
}

function progress(total: number): () => void {
  let finished = 0;
  return () => {
    finished++;
    if (process.stderr.isTTY) process.stderr.write(`\r${finished} of ${total} runs`);
  };
}
