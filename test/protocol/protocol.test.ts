import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { circuitSchema } from '../../packages/core/src/config/schema.ts';
import { tripTermsOf } from '../../packages/core/src/fleet/evidence.ts';
import { scripts } from '../../packages/core/src/store/redis/scripts.ts';
import { pause } from '../conformance/harness/wait.ts';
import { RedisServer } from '../fleet/harness/redis-server.ts';
import { Upstream } from '../fleet/harness/upstream.ts';
import { NodeReplica } from './node-replica.ts';
import { noPython, PythonReplica, type PythonStatus } from './python-replica.ts';

/** Three processes on two busy cores. */
const PATIENCE_MS = 30_000;
const TARGET = 'upstream:shared';
const PROBES = 3;
/** So many failures open nothing alone: the fleet's doing is told from a replica's own. */
const TOO_FEW = 12;
const circuit = {
  failureRate: 0.5,
  minimumCalls: 20,
  consecutiveFailures: 100,
  windowMs: 20_000,
  openMs: 400,
  maxOpenMs: 800,
  probes: PROBES,
};
const { hash: _, quorum: __, ...terms } = tripTermsOf({ ...circuitSchema.parse(circuit), maxOpenMs: 800 });

async function become(what: string, is: () => boolean | Promise<boolean>, seen: () => unknown) {
  const giveUp = performance.now() + PATIENCE_MS;
  while (!(await is())) {
    if (performance.now() > giveUp) throw new Error(`not ${what}: ${JSON.stringify(await seen())}`);
    await pause(20);
  }
}

const title = `a replica in Python${noPython ? ` (left out: ${noPython})` : ''}`;

describe.skipIf(noPython)(title, () => {
  let server: RedisServer;
  let upstream: Upstream;
  let python: PythonReplica;
  let nodes: NodeReplica[];
  let service = '';
  let serial = 0;

  beforeAll(async () => {
    server = await RedisServer.start();
  });
  afterAll(() => server.stop());

  beforeEach(async () => {
    service = `polyglot-${serial++}`;
    upstream = await new Upstream().listen();
    const options = { service, target: TARGET, upstream: upstream.url };
    const own = { openMs: 400, maxOpenMs: 800, probes: PROBES, timeoutMs: 1_000 };
    nodes = [0, 1].map(() => new NodeReplica({ server, circuit, ...options }));
    await nodesBecome('connected', ({ connected }) => connected);
    python = new PythonReplica({ port: server.port, ...options, ...terms, ...own });
    await pythonBecomes('one of three', ({ live }) => live === 3);
    // A target is shared once it is used.
    for (const node of nodes) await node.call();
  }, PATIENCE_MS);

  afterEach(async () => {
    for (const node of nodes.splice(0)) await node.close();
    python.kill();
    upstream.close();
  });

  const pythonBecomes = (what: string, is: (status: PythonStatus) => boolean) =>
    become(what, async () => is(await python.status()), python.status);
  const nodesBecome = (what: string, is: (node: NodeReplica) => boolean) =>
    become(
      what,
      () => nodes.every(is),
      () => nodes.map(({ state, forced, connected, reasons }) => ({ state, forced, connected, reasons })),
    );
  const isOpen = ({ view }: PythonStatus) => view?.st === 'open';
  const isClosed = ({ view }: PythonStatus) => view?.st === 'closed';

  async function open(): Promise<void> {
    upstream.status = 503;
    for (const node of nodes) await node.call(TOO_FEW);
    await pythonBecomes('open', isOpen);
    await nodesBecome('open', ({ state }) => state !== 'closed');
  }

  it('opens the fleet by its failures and those of one replica in Node, by neither alone', async () => {
    upstream.status = 503;
    await python.load(50);
    await pythonBecomes('failing', ({ tally }) => (tally.failed ?? 0) > 3 * circuit.minimumCalls);
    await pause(500);
    expect((await python.status()).view?.st).toBe('closed');
    await nodes[0]?.call(TOO_FEW);
    await pythonBecomes('open', isOpen);
    await nodesBecome('open', ({ state }) => state !== 'closed');
    for (const { reasons } of nodes) expect(reasons[0]).toBe('fleet-opened');
  });

  it('hears by the stream what replicas in Node have done', async () => {
    await open();
    upstream.status = 200;
    for (const node of nodes) node.load(20);
    await pythonBecomes('closed', isClosed);
    const { heard } = await python.status();
    expect(heard.find(({ st }) => st === 'open')?.by).toBe('stream');
    expect(heard.at(-1)).toMatchObject({ st: 'closed' });
  });

  it('closes the fleet by its probes, while replicas in Node hold leases and have no calls', async () => {
    await open();
    upstream.status = 200;
    await python.load(20);
    await pythonBecomes('closed', isClosed);
    await nodesBecome('closed', ({ state }) => state === 'closed');
    for (const { reasons } of nodes) expect(reasons.at(-1)).toBe('fleet-closed');
    expect((await python.status()).tally['ok counted']).toBeGreaterThanOrEqual(2);
  });

  it('sends no more probes than an epoch has, together with replicas in Node', async () => {
    await open();
    const before = upstream.requests;
    const { heard: first } = await python.status();
    await python.load(20);
    for (const node of nodes) node.load(20);
    await pythonBecomes('a prober', ({ tally }) => (tally['fail counted'] ?? 0) >= 4);
    const { heard, tally } = await python.status();
    const epochs = heard.length - first.length + 1;
    const probes = upstream.requests - before;
    expect(probes).toBeGreaterThan(tally['fail counted'] as number);
    // An epoch may have begun that Python has not heard of yet.
    expect(probes).toBeLessThanOrEqual(PROBES * (epochs + 1));
    expect(heard.filter(({ st }) => st === 'closed').length).toBeLessThanOrEqual(1);
  });

  it('obeys a person who decides in Node', async () => {
    const before = upstream.requests;
    // On a busy machine Redis may not answer in time.
    const force = async () => (await nodes[0]?.target.force('open'))?.scope === 'fleet';
    await become('forced', force, python.status);
    await pythonBecomes('forced open', ({ view }) => view?.f === 'open');
    const { tally } = await python.load(50);
    await pythonBecomes('refusing', ({ tally }) => (tally.refused ?? 0) > 5);
    expect(tally.ok).toBeUndefined();
    expect(upstream.requests).toBe(before);
    await become('freed', async () => (await nodes[1]?.target.force(null))?.scope === 'fleet', python.status);
    await pythonBecomes('free', ({ view, tally }) => view?.f === '' && (tally.ok ?? 0) > 0);
  });

  it('tells an emptied Redis what it knows', async () => {
    await open();
    for (const node of nodes.splice(0)) await node.close();
    await server.client().flushall();
    const record = () => server.client().hgetall(`{healix:v1:${service}}:t:${TARGET}`);
    await become('open again', async () => (await record()).st === 'open', record);
  });

  it('names trip terms, and digests scripts, as Node does', async () => {
    const { digests } = await python.status();
    const sha1 = (text: string) => createHash('sha1').update(text).digest('hex');
    expect(digests).toEqual(
      Object.fromEntries(Object.entries(scripts).map(([name, text]) => [name, sha1(text)])),
    );
    const settings = fc.record({
      failureRate: fc.oneof(
        fc.double({ min: Number.MIN_VALUE, max: 1, noNaN: true }),
        fc.constantFrom(1, 0.5, 1e-6, 1e-7),
      ),
      minimumCalls: fc.integer({ min: 1, max: 100_000 }),
      windowMs: fc.integer({ min: 100, max: 3_600_000 }),
    });
    const property = fc.asyncProperty(settings, async (given) => {
      const { hash, ...named } = tripTermsOf({ ...circuitSchema.parse(given), maxOpenMs: 1 });
      const { failureRate, minimumCalls, streak, windowMs } = named;
      expect(await python.hash(failureRate, minimumCalls, streak, windowMs)).toBe(hash);
    });
    await fc.assert(property, { numRuns: 300 });
  });
});
