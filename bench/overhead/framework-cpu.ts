import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { type Aim, atLeast, type Figure, figure, type Section } from '../report.ts';
import { type Estimate, estimate, seededRandom, shuffled } from '../statistics.ts';
import { FRAMEWORKS } from './frameworks.ts';
import { Load } from './load.ts';

/** The same for all: V8 fits it to what a process loads, which shows in every request that follows. */
const YOUNG_GENERATION = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

const REQUESTS = 20_000;
const WARM_UP_REQUESTS = 40_000;
const CONNECTIONS = 20;
/** Servers are started anew so often: one process may be faster than its twin for as long as it lives. */
const GENERATIONS = 8;
const LEAST_RATIO = 0.97;

const ROLES = ['bare', 'second bare', 'healed'] as const;
type Role = (typeof ROLES)[number];
/** CPU time in µs a request, by server. */
type Round = Record<Role, number>;

/** CPU time a request that each framework's server process takes, with and without healing. */
export async function measureFrameworkCpu(pairs: number): Promise<Section> {
  const figures: Figure[] = [];
  const aims: Aim[] = [];
  for (const { name } of FRAMEWORKS) {
    const generations = await measureFramework(name, pairs);
    const over = (value: (round: Round) => number): Estimate =>
      estimate(generations.map((rounds) => rounds.map(value)));
    const healedRatio = over((round) => round.bare / round.healed);
    for (const role of ROLES)
      figures.push(
        figure(
          `${name}, ${role}`,
          'µs CPU a request',
          over((r) => r[role]),
        ),
      );
    figures.push(
      figure(
        `${name}, bare / second bare (A/A)`,
        'ratio',
        over((round) => round.bare / round['second bare']),
      ),
      figure(`${name}, bare / healed`, 'ratio', healedRatio),
    );
    aims.push(atLeast(`${name}, bare / healed, lower end of the interval`, LEAST_RATIO, healedRatio.low));
  }
  return {
    title: 'CPU time of the server process a request',
    notes: [
      `${pairs} interleaved rounds of ${REQUESTS.toLocaleString('en')} requests to each of three servers that live at once;`,
      `${CONNECTIONS} connections kept alive; servers started anew ${Math.min(GENERATIONS, pairs)} times. Ratios are taken within a round;`,
      'intervals count what one process was faster than its twin as error.',
    ],
    figures,
    aims,
  };
}

async function measureFramework(name: string, pairs: number): Promise<Round[][]> {
  const random = seededRandom(11);
  const generations: Round[][] = [];
  for (let left = Math.min(GENERATIONS, pairs), open = pairs; left > 0; left--) {
    const rounds = Math.ceil(open / left);
    open -= rounds;
    generations.push(await measureGeneration(name, rounds, random));
  }
  return generations;
}

async function measureGeneration(name: string, rounds: number, random: () => number): Promise<Round[]> {
  const servers = await Promise.all(
    ROLES.map(async (role) => ({ role, server: await ServerProcess.start(name, role === 'healed') })),
  );
  try {
    for (const { server } of servers) await server.load.send(WARM_UP_REQUESTS);
    const found: Round[] = [];
    for (let i = 0; i < rounds; i++) {
      const round: Round = { bare: 0, 'second bare': 0, healed: 0 };
      for (const { role, server } of shuffled(servers, random)) {
        const before = await server.cpuUs();
        await server.load.send(REQUESTS);
        round[role] = ((await server.cpuUs()) - before) / REQUESTS;
      }
      found.push(round);
    }
    return found;
  } finally {
    for (const { server } of servers) server.stop();
  }
}

/** A server in a child process. It says its port when it listens, and its CPU time when asked. */
class ServerProcess {
  readonly load: Load;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, load: Load) {
    this.#child = child;
    this.load = load;
  }

  static async start(name: string, healed: boolean): Promise<ServerProcess> {
    const module = new URL('./framework-server.ts', import.meta.url);
    const child = fork(module, [name, healed ? 'healed' : 'bare'], { execArgv: YOUNG_GENERATION });
    const port = await answerOf(child);
    return new ServerProcess(child, await Load.open(port, '/users/42', CONNECTIONS));
  }

  cpuUs(): Promise<number> {
    this.#child.send('cpu');
    return answerOf(this.#child);
  }

  stop(): void {
    this.load.close();
    this.#child.disconnect();
  }
}

async function answerOf(child: ChildProcess): Promise<number> {
  const gone = new AbortController();
  child.once('exit', () => gone.abort(new Error('a server ended')));
  const [answer] = await once(child, 'message', { signal: gone.signal });
  return answer as number;
}
