import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { type Aim, atLeast, type Figure, type Section } from '../report.ts';
import { awake } from './awake.ts';
import { CLIENTS } from './clients.ts';
import { CpuRounds, notesOn, type Subject } from './cpu-rounds.ts';
import { MeasuredProcess } from './measured-process.ts';

const LEAST_RATIO = 0.97;
const ROLES = ['bare', 'second bare', 'healed'] as const;
type Role = (typeof ROLES)[number];
const ANSWER = JSON.stringify({ id: '42', name: 'Ada', roles: ['admin', 'author'], active: true });

/** CPU time a request that a client's process takes, with and without healing. */
export async function measureClientCpu(pairs: number): Promise<Section> {
  const server = createServer((_req, res) => {
    res.setHeader('content-type', 'application/json').end(ANSWER);
  });
  server.keepAliveTimeout = 0;
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/users/42`;
  const figures: Figure[] = [];
  const aims: Aim[] = [];
  for (const { name } of CLIENTS) {
    const rounds = await CpuRounds.measure(name, pairs, ROLES, (role) => start(name, role, url));
    figures.push(
      ...rounds.figures(ROLES),
      rounds.ratioFigure('bare', 'second bare'),
      rounds.ratioFigure('bare', 'healed'),
    );
    const { low } = rounds.ratio('bare', 'healed');
    aims.push(atLeast(`${name}, bare / healed, lower end of the interval`, LEAST_RATIO, low));
  }
  server.closeAllConnections();
  server.close();
  return {
    title: 'CPU time of the client process a request',
    notes: [...notesOn(pairs, ROLES.length), 'One small JSON answer, read whole; twenty requests at once.'],
    figures,
    aims,
  };
}

async function start(name: string, role: Role, url: string): Promise<Subject> {
  const client = await MeasuredProcess.start(new URL('./client.ts', import.meta.url), [
    name,
    role === 'healed' ? 'healed' : 'bare',
    url,
  ]);
  return {
    cpuUs: () => client.cpuUs(),
    send: async (requests) => {
      await awake(client.ask(requests));
    },
    stop: () => client.stop(),
  };
}
