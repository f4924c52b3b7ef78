// npm run demo:fleet -- --help
import { execute } from '../command.ts';
import { HELP, readOptions } from './options.ts';
import { FleetRun } from './run.ts';

await execute({ help: HELP, read: readOptions, make: (options) => new FleetRun(options) });
