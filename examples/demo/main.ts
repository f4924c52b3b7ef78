// npm run demo -- --help
import { ByHand } from './by-hand.ts';
import { type DemoOptions, HELP, readOptions } from './options.ts';
import { ScheduledRun } from './scheduled.ts';

/** The exit code for options that are wrong. */
const MISUSED = 2;

const options = optionsOrExit();
if (options.help) {
  console.log(HELP);
  process.exit();
}
const { serve, framework } = options;
const demo = serve ? new ByHand(framework) : new ScheduledRun(framework);

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

function optionsOrExit(): DemoOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    console.error(`${(error as Error).message}\n\n${HELP}`);
    process.exit(MISUSED);
  }
}
