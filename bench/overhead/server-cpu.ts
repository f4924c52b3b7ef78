import { type Aim, atLeast, type Figure, type Section } from '../report.ts';
import { CpuRounds, notesOn, type Subject } from './cpu-rounds.ts';
import { FRAMEWORKS, type Framework, type Mode } from './frameworks.ts';
import { Load } from './load.ts';
import { MeasuredProcess } from './measured-process.ts';

const CONNECTIONS = 20;
const ROLES = ['bare', 'second bare', 'least hook', 'healed'] as const;
type Role = (typeof ROLES)[number];
const MODES: Record<Role, Mode> = {
  bare: 'bare',
  'second bare': 'bare',
  'least hook': 'followed',
  healed: 'healed',
};

/** CPU time a request that each framework's server process takes, with and without healing. */
export async function measureServerCpu(pairs: number): Promise<Section> {
  const figures: Figure[] = [];
  const aims: Aim[] = [];
  for (const framework of FRAMEWORKS) {
    const { name, leastRatio } = framework;
    const rounds = await CpuRounds.measure(name, pairs, ROLES, (role) => start(framework, role));
    figures.push(
      ...rounds.figures(ROLES),
      rounds.ratioFigure('bare', 'second bare'),
      rounds.ratioFigure('bare', 'least hook'),
      rounds.ratioFigure('least hook', 'healed'),
      rounds.ratioFigure('bare', 'healed'),
    );
    if (leastRatio === undefined) continue;
    const { low } = rounds.ratio('bare', 'healed');
    aims.push(atLeast(`${name}, bare / healed, lower end of the interval`, leastRatio, low));
  }
  return {
    title: 'CPU time of the server process a request',
    notes: [
      ...notesOn(pairs, ROLES.length),
      `${CONNECTIONS} connections kept alive. Two bare servers: what differs between them is chance (A/A). The least hook`,
      'stands where healing stands, notes that a request has begun and that its answer has ended, and does no more.',
    ],
    figures,
    aims,
  };
}

async function start(framework: Framework, role: Role): Promise<Subject> {
  const server = await MeasuredProcess.start(new URL('./server.ts', import.meta.url), [
    framework.name,
    MODES[role],
  ]);
  const load = await Load.open(server.greeting, framework.paths, CONNECTIONS);
  return {
    cpuUs: () => server.cpuUs(),
    send: (requests) => load.send(requests),
    stop() {
      load.close();
      server.stop();
    },
  };
}
