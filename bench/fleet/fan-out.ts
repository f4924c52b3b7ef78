import type { Store } from '../../packages/core/src/store/store.ts';
import { pause } from '../../test/conformance/harness/wait.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { type Figure, figure, type Section } from '../report.ts';
import { estimateOf, median } from '../statistics.ts';
import { patientStore } from './patient-store.ts';
import { type Heard, Readers } from './readers.ts';
import { RedisMeter } from './redis-meter.ts';
import { longestStall } from './stall-watch.ts';
import { monotonicMs } from './told-process.ts';
import { decide, prime } from './trips.ts';

const SERVICE = 'fan-out';
/** Longer than a reader pauses after news. */
const BETWEEN_EVENTS_MS = 400;
const DOWN_MS = 1_000;
const BETWEEN_LOOKS_MS = 50;
const PATIENCE_MS = 60_000;

interface Effort {
  readonly counts: readonly number[];
  readonly events: number;
  readonly trips: number;
  readonly idleMs: number;
}

const FULL: Effort = { counts: [20, 200, 1_000], events: 30, trips: 1_000, idleMs: 5_000 };
const QUICK: Effort = { counts: [20], events: 2, trips: 40, idleMs: 200 };

interface Bench {
  readonly server: RedisServer;
  readonly meter: RedisMeter;
  readonly store: Store;
  readonly readers: Readers;
}

/** What it takes to tell many replicas: one by one, a thousand things at once, and after a restart. */
export async function measureFanOut(quick: boolean): Promise<Section> {
  const effort = quick ? QUICK : FULL;
  const figures: Figure[] = [];
  for (const count of effort.counts) {
    const server = await RedisServer.start();
    const readers = await Readers.start(count, server.port, SERVICE);
    const meter = await RedisMeter.open(server.port);
    const store = patientStore(server.client(), SERVICE);
    const bench = { server, meter, store, readers };
    try {
      figures.push(...(await measureEvents(bench, effort)), ...(await measureStorm(bench, effort)));
      figures.push(...(await measureRestart(bench)));
    } finally {
      meter.close();
      await store.close();
      await readers.stop();
      await server.stop();
    }
  }
  return {
    title: 'Telling many replicas',
    notes: [
      'Readers are sockets that do what the reader of a replica does; all of them, the server and the benchmark share this',
      'machine, so that times until readers have something are those of a machine that is busy with a thousand replicas.',
      `Single trips: ${effort.events}, ${BETWEEN_EVENTS_MS} ms apart; CPU is the server's, less what it takes at rest. At once: ${effort.trips} targets open, told`,
      'by replicas as they do, 10 a call, and again where that takes long. Longest stall: the longest that a PING took meanwhile, its own process included.',
      `Restart: the server is killed, started anew after ${DOWN_MS} ms, and readers come back after the client's random waits.`,
    ],
    figures,
    aims: [],
  };
}

async function measureEvents({ meter, store, readers }: Bench, { events, idleMs }: Effort) {
  const { count } = readers;
  const idle = await meter.during(() => pause(idleMs));
  const began: number[] = [];
  let heard: Heard = { at: {}, reads: 0 };
  let cpuUs = 0;
  for (let i = 0; i < events; i++) {
    const primed = await prime(store, [`upstream:single-${i}`]);
    await pause(BETWEEN_EVENTS_MS);
    await readers.heard();
    const start = performance.now();
    const trip = await meter.during(async () => {
      began.push(monotonicMs());
      await decide(store, primed);
      await pause(BETWEEN_EVENTS_MS);
    });
    cpuUs += trip.cpuUs - (idle.cpuUs / idleMs) * (performance.now() - start);
    heard = await heardBy(readers, heard, i + 1);
  }
  const delays = idsOf(heard).map((id, i) => heard.at[id]!.map((at) => at - began[i]!));
  return [
    figure(`${count} readers, CPU of a trip`, 'µs', estimateOf([cpuUs / events])),
    figure(`${count} readers, trip until a reader has it`, 'ms', estimateOf(delays.map(median))),
    figure(
      `${count} readers, trip until the last has it`,
      'ms',
      estimateOf(delays.map((all) => Math.max(...all))),
    ),
  ];
}

async function measureStorm({ server, meter, store, readers }: Bench, { trips }: Effort) {
  const { count } = readers;
  const names = Array.from({ length: trips }, (_, i) => `upstream:storm-${i}`);
  const primed = await prime(store, names);
  await pause(2 * BETWEEN_EVENTS_MS);
  await readers.heard();
  let entries = primed.deciding.length;
  const began = monotonicMs();
  let heard: Heard = { at: {}, reads: 0 };
  let stallMs = 0;
  const { cpuUs } = await meter.during(async () => {
    stallMs = await longestStall(server.port, async () => {
      entries += await decide(store, primed);
      heard = await heardBy(readers, heard, entries);
    });
  });
  const lastMs = Math.max(...Object.values(heard.at).flat()) - began;
  const name = `${count} readers, ${trips} trips at once`;
  return [
    figure(`${name}, entries`, 'entries', estimateOf([entries])),
    figure(`${name}, replies a reader`, 'replies', estimateOf([heard.reads / count])),
    figure(`${name}, until the last has all`, 'ms', estimateOf([lastMs])),
    figure(`${name}, longest stall`, 'ms', estimateOf([stallMs])),
    figure(`${name}, CPU`, 'ms', estimateOf([cpuUs / 1_000])),
  ];
}

async function measureRestart({ server, readers }: Bench) {
  await server.kill();
  await pause(DOWN_MS);
  const began = performance.now();
  await server.restart();
  const stallMs = await longestStall(server.port, () => readers.untilConnected());
  const name = `${readers.count} readers, restart`;
  return [
    figure(`${name}, until all are back`, 'ms', estimateOf([performance.now() - began])),
    figure(`${name}, longest stall`, 'ms', estimateOf([stallMs])),
  ];
}

/** Adds to what was heard, until each reader has so many entries. */
async function heardBy(readers: Readers, so: Heard, entries: number): Promise<Heard> {
  const all: Heard = { at: { ...so.at }, reads: so.reads };
  const count = () => Object.values(all.at).reduce((sum, moments) => sum + moments.length, 0);
  const giveUp = performance.now() + PATIENCE_MS;
  while (count() < entries * readers.count) {
    if (performance.now() > giveUp)
      throw new Error(`${count()} of ${entries} x ${readers.count} entries heard`);
    await pause(BETWEEN_LOOKS_MS);
    const { at, reads } = await readers.heard();
    all.reads += reads;
    for (const [id, moments] of Object.entries(at)) all.at[id] = [...(all.at[id] ?? []), ...moments];
  }
  return all;
}

/** In the order of the stream. */
function idsOf({ at }: Heard): string[] {
  const key = (id: string) => id.split('-').map(Number) as [number, number];
  return Object.keys(at).sort((a, b) => key(a)[0] - key(b)[0] || key(a)[1] - key(b)[1]);
}
