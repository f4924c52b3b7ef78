import { Worker } from 'node:worker_threads';
import type { Done, Job } from './job.ts';

/** Does the jobs in so many threads; the results are in the order of the jobs. */
export async function workAll(jobs: readonly Job[], threads: number, onDone: () => void): Promise<Done[]> {
  const results: Done[] = [];
  let next = 0;
  const workOff = async () => {
    const worker = new Worker(new URL('./worker.ts', import.meta.url));
    try {
      while (next < jobs.length) {
        const index = next++;
        results[index] = await ask(worker, jobs[index] as Job);
        onDone();
      }
    } finally {
      await worker.terminate();
    }
  };
  await Promise.all(Array.from({ length: Math.min(threads, jobs.length) }, workOff));
  return results;
}

function ask(worker: Worker, job: Job): Promise<Done> {
  return new Promise((resolve, reject) => {
    worker.removeAllListeners();
    worker.once('message', resolve);
    worker.once('error', reject);
    worker.postMessage(job);
  });
}
