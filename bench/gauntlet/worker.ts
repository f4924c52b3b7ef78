import { parentPort } from 'node:worker_threads';
import { type Job, work } from './job.ts';

parentPort?.on('message', async (job: Job) => parentPort?.postMessage(await work(job)));
