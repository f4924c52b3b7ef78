import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { CpuRounds, notesOn, type Subject } from '../overhead/cpu-rounds.ts';
import { MeasuredProcess } from '../overhead/measured-process.ts';
import { type Aim, atMost, type Figure, type Section } from '../report.ts';

const WAYS = ['acquire/release', 'run'] as const;
const ROLES = ['none', 'memory', 'second memory', 'redis'] as const;
type Role = (typeof ROLES)[number];
const MOST_RATIO = 1.05;

/** CPU time of a process that calls healthy targets, with circuits that it shares or keeps to itself. */
export async function measureRequestPath(quick: boolean): Promise<Section> {
  // They are that cheap.
  const callsARequest = quick ? 1 : 50;
  const pairs = quick ? 1 : 40;
  const server = await RedisServer.start();
  const figures: Figure[] = [];
  const aims: Aim[] = [];
  try {
    for (const way of quick ? (['run'] as const) : WAYS) {
      const rounds = await CpuRounds.measure(way, pairs, ROLES, (role) =>
        start(role, [way, server.url, `${callsARequest}`]),
      );
      figures.push(
        ...rounds.figures(ROLES),
        rounds.ratioFigure('second memory', 'memory'),
        rounds.ratioFigure('redis', 'memory'),
        rounds.ratioFigure('redis', 'none'),
      );
      const { high } = rounds.ratio('redis', 'memory');
      aims.push(atMost(`${way}, redis / memory, upper end of the interval`, MOST_RATIO, high));
    }
  } finally {
    await server.stop();
  }
  return {
    title: 'CPU time of a healthy call, by where circuits are shared',
    notes: [
      ...notesOn(pairs, ROLES.length),
      `A request stands for ${callsARequest} calls, over 20 targets in turn, one after the other. All of the CPU time of the process is`,
      'counted, what the fleet does beside the calls included. Two processes with a store in memory: what differs is chance (A/A).',
    ],
    figures,
    aims,
  };
}

async function start(role: Role, [way, redis, callsARequest]: [string, string, string]): Promise<Subject> {
  const sharing = role === 'second memory' ? 'memory' : role;
  const program = new URL('./caller.ts', import.meta.url);
  const caller = await MeasuredProcess.start(program, [way, sharing, redis, callsARequest]);
  return {
    cpuUs: () => caller.cpuUs(),
    send: async (requests) => {
      await caller.ask(requests);
    },
    stop: () => caller.stop(),
  };
}
