import { parseArgs } from 'node:util';
import { type Framework, frameworks } from '../frameworks/index.ts';

export interface FleetOptions {
  /** The Redis to share over; undefined: one of the demo's own. */
  readonly redis: string | undefined;
  /** What serves the replicas. */
  readonly framework: Framework;
  /** How long the upstream is dead, in each half. */
  readonly outageMs: number;
  readonly help: boolean;
}

const NAMES = Object.keys(frameworks).join(', ');
const SHORTEST_S = 5;
const LONGEST_S = 60;

export const HELP = `npm run demo:fleet                            three replicas and an upstream that dies: without sharing, then with
npm run demo:fleet -- --redis redis://HOST    share over this Redis instead of one of the demo's own
npm run demo:fleet -- --outage 20             seconds for which the upstream is dead, ${SHORTEST_S} to ${LONGEST_S} (default: 11)
npm run demo:fleet -- --framework express     replicas served by another framework: ${NAMES} (default: fastify)
npm run demo:fleet -- --help                  this text`;

/** @throws Error that says what was wrong */
export function readOptions(args: string[]): FleetOptions {
  const { values } = parseArgs({
    args,
    options: {
      redis: { type: 'string' },
      outage: { type: 'string', default: '11' },
      framework: { type: 'string', default: 'fastify' },
      help: { type: 'boolean', short: 'h', default: false },
    },
  });
  const { redis, framework, help } = values;
  const outage = Number(values.outage);
  if (redis !== undefined && !/^(redis|rediss|unix):\/\//.test(redis)) {
    throw new Error(`--redis: "${redis}" was given; wanted: a URL such as redis://localhost:6379`);
  }
  if (!(outage >= SHORTEST_S && outage <= LONGEST_S)) {
    throw new Error(`--outage: "${values.outage}" was given; wanted: ${SHORTEST_S} to ${LONGEST_S} seconds`);
  }
  if (!Object.hasOwn(frameworks, framework)) {
    throw new Error(`--framework: "${framework}" was given; allowed: one of ${NAMES}`);
  }
  return { redis, framework: framework as Framework, outageMs: outage * 1_000, help };
}
