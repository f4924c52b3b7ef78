import { planOf } from './options.ts';
import { workAll } from './pool.ts';
import { printResults } from './report/console.ts';
import { keep, writeReport } from './report/keep.ts';
import { resultsOf } from './results.ts';

const args = process.argv.slice(2);
if (args.includes('--report')) writeReport();
else await play();

async function play(): Promise<void> {
  const plan = planOf(args);
  const done = await workAll(plan.jobs, plan.threads, progress(plan.jobs.length));
  const results = resultsOf(done, plan.seeds);
  printResults(results);

  const requests = done.reduce((sum, { measures }) => sum + measures.requests, 0);
  const cpuSeconds = done.reduce((sum, { cpuMs }) => sum + cpuMs, 0) / 1_000;
  const speed = `${figure(requests)} requests in ${figure(cpuSeconds)} CPU s: ${figure(requests / cpuSeconds)} a CPU s`;
  console.log(`\n${speed}`);
  if (plan.whole) keep(results);
  else console.log('not written: not all scenarios and contenders, or fewer seeds than are to be kept');
}

function figure(value: number): string {
  return Math.round(value).toLocaleString('en');
}

function progress(total: number): () => void {
  let finished = 0;
  return () => {
    finished++;
    if (process.stderr.isTTY) process.stderr.write(`\r${finished} of ${total} runs`);
  };
}
