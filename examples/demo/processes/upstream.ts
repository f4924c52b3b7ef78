// An upstream: a plain HTTP server that answers within 10 to 40 ms, unless a fault is injected.
// node upstream.ts NAME PORT
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { seeded } from '../random.ts';
import type { Fault, UpstreamName } from '../schedule.ts';
import { SEED } from '../settings.ts';
import { listen, report } from './child.ts';

const upstream = process.argv[2] as UpstreamName;
const port = Number(process.argv[3] ?? 0);
const random = seeded(SEED + upstream.length);
let fault: Fault = { kind: 'none' };

const server = createServer((req, res) => {
  req.resume();
  tellOf(req);
  const { pathname } = new URL(req.url ?? '/', 'http://upstream');
  const wanted = faultNamed(pathname);
  if (wanted !== undefined) {
    setFault(wanted);
    send(res, 200, { upstream, fault });
  } else if (fault.kind !== 'hang') {
    const failed = fault.kind === 'errors' && random() < fault.share;
    const body = failed ? { error: 'injected' } : { upstream, path: pathname, at: new Date() };
    setTimeout(() => send(res, failed ? 500 : 200, body), 10 + 30 * random());
  }
});

/** A caller that names itself is told of: who asked, whether by a probe, and whether the upstream is dead. */
function tellOf({ headers }: IncomingMessage): void {
  const { 'x-caller': caller, 'x-probe': probe } = headers;
  if (typeof caller !== 'string') return;
  report({ type: 'arrived', caller, isProbe: probe !== undefined, isDead: fault.kind === 'hang' });
}

/** `POST /fault/hang`, `/fault/errors`, `/fault/none`: for whoever tries the demo by hand. */
function faultNamed(pathname: string): Fault | undefined {
  switch (pathname) {
    case '/fault/hang':
      return { kind: 'hang' };
    case '/fault/errors':
      return { kind: 'errors', share: 0.5 };
    case '/fault/none':
      return { kind: 'none' };
    default:
      return undefined;
  }
}

function setFault(next: Fault): void {
  fault = next;
  report({ type: 'fault', upstream, fault });
}

function send(res: ServerResponse, status: number, body: object): void {
  res.writeHead(status, { 'content-type': 'application/json' }).end(`${JSON.stringify(body)}\n`);
}

listen((order) => {
  if (order.type === 'fault') setFault(order.fault);
});
server.listen(port, '127.0.0.1', () => {
  report({ type: 'ready', url: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
});
