// npm run demo -- --help
import { ByHand } from './by-hand.ts';
import { execute } from './command.ts';
import { HELP, readOptions } from './options.ts';
import { ScheduledRun } from './scheduled.ts';

await execute({
  help: HELP,
  read: readOptions,
  make: ({ serve, framework }) => (serve ? new ByHand(framework) : new ScheduledRun(framework)),
});
