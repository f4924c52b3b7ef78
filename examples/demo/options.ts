import { parseArgs } from 'node:util';
import { type Framework, frameworks } from './frameworks/index.ts';

export interface DemoOptions {
  /** Both services stay up, to be tried by hand. */
  readonly serve: boolean;
  /** What serves the shop. */
  readonly framework: Framework;
  readonly help: boolean;
}

const NAMES = Object.keys(frameworks).join(', ');

export const HELP = `npm run demo                          a shop with healing beside the same one without, under the same faults
npm run demo -- --framework express   the shop served by another framework: ${NAMES} (default: fastify)
npm run demo -- --serve               both stay up, without scheduled faults, to be tried by hand
npm run demo -- --help                this text`;

/** @throws Error that says what was wrong */
export function readOptions(args: string[]): DemoOptions {
  const { values } = parseArgs({
    args,
    options: {
      serve: { type: 'boolean', default: false },
      framework: { type: 'string', default: 'fastify' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { serve, framework, help } = values;
  if (!Object.hasOwn(frameworks, framework)) {
    throw new Error(`--framework: "${framework}" was given; allowed: one of ${NAMES}`);
  }
  return { serve, framework: framework as Framework, help };
}
