// npm run demo               a service with healing beside the same one without, under the same load and faults
// npm run demo -- --serve    both stay up, without scheduled faults, to be tried by hand
import { ByHand } from './by-hand.ts';
import { ScheduledRun } from './scheduled.ts';

const serve = process.argv.includes('--serve');
const demo = serve ? new ByHand() : new ScheduledRun();

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, async () => {
    await demo.stage.stop();
    process.exit(serve ? 0 : 1);
  });
}

try {
  process.exitCode = (await demo.run()) ? 0 : 1;
} finally {
  await demo.stage.stop();
}
