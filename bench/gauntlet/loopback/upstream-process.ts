import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { FIGURES } from '../figures.ts';
import { find } from '../job.ts';
import { shapeOf, timesOf } from '../scenario.ts';
import { scenarios } from '../scenarios.ts';
import { CallRequest } from '../world/call-request.ts';
import { FaultSchedule } from '../world/faults.ts';
import { Upstream } from '../world/upstream.ts';
import { RealCalendar } from './real-calendar.ts';

/** The upstream of a scenario in a process of its own: a real server a host, with the same queue and faults behind it. */
const [name = '', seedText = ''] = process.argv.slice(2);
const seed = Number(seedText);
const scenario = find(scenarios, 'scenario', name);
const requests = new Map<number, CallRequest>();
let upstream: Upstream | undefined;
let unsafe = 0;

const servers = Array.from({ length: FIGURES.hosts }, (_, host) =>
  createServer((incoming, outgoing) => answer(host, incoming, outgoing)).listen(0, '127.0.0.1'),
);
const listening = servers.map((server) => new Promise<void>((resolve) => server.once('listening', resolve)));
await Promise.all(listening);
process.send?.(servers.map((server) => (server.address() as AddressInfo).port));

process.on('message', (message) => {
  if (message === 'begin') begin();
  else process.send?.({ unsafe }, () => process.exit(0));
});

function begin(): void {
  const calendar = new RealCalendar();
  const faults = new FaultSchedule(scenario.faults ?? [], timesOf(scenario, calendar.now, seed));
  const meter = {
    sent: () => {},
    began: ({ request }: { request: CallRequest }) => {
      if (!request.idempotent && request.executions === 2) unsafe++;
    },
  };
  upstream = new Upstream(calendar, seed, shapeOf(scenario, FIGURES.sigma), faults, meter);
}

async function answer(host: number, incoming: IncomingMessage, outgoing: ServerResponse): Promise<void> {
  incoming.resume();
  try {
    if (upstream === undefined) throw new Error('not begun');
    const { status, headers } = await upstream.send(host, requestOf(incoming), undefined);
    outgoing.writeHead(status, headers).end();
  } catch {
    incoming.socket.destroy();
  }
}

function requestOf({ headers, method }: IncomingMessage): CallRequest {
  const id = Number(headers['x-id']);
  const known = requests.get(id);
  if (known !== undefined) return known;
  const terms = {
    id,
    at: 0,
    deadlineAt: 0,
    idempotent: method === 'GET',
    priority: 'normal' as const,
    route: Number(headers['x-route']),
  };
  const request = new CallRequest(terms, new RealCalendar());
  requests.set(id, request);
  return request;
}
