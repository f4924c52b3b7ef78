import { pause } from '../../test/conformance/harness/wait.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf } from '../statistics.ts';
import { RedisMeter } from './redis-meter.ts';
import { type Load, Replicas } from './replicas.ts';

interface Case extends Load {
  readonly name: string;
}

/** What a second of one replica makes Redis do. */
interface Found {
  readonly sent: number;
  readonly bytes: number;
  readonly scriptUs: number;
}

const RATES = [0, 100, 1_000, 5_000];
const TARGETS = [1, 20, 100];
/** The rate at which targets are compared. */
const RATE = 2_000;
/** A share of calls that is too low to open a circuit, and high enough to be told of. */
const SUSPICIOUS = 0.3;
const SETTLE_MS = 3_000;
/** Bytes at a rate, by those at rest: a heartbeat more or less in a window is no more than chance. */
const MOST_GROWTH = 1.35;
const ALL: readonly Case[] = [
  ...RATES.map(healthy),
  ...TARGETS.map((targets) => load(`healthy, ${targets} targets`, { targets })),
  ...TARGETS.map((troubled) => {
    const targets = 2 * troubled;
    return load(`3 of 10 calls fail on ${troubled} of ${targets} targets`, {
      targets,
      troubled,
      failing: SUSPICIOUS,
    });
  }),
  ...TARGETS.map(failing),
];

/** Commands, bytes and script time that a replica costs Redis, by its requests and its targets. */
export async function measureTraffic(quick: boolean): Promise<Section> {
  const { replicas, windowMs } = quick ? { replicas: 2, windowMs: 300 } : { replicas: 5, windowMs: 20_000 };
  const server = await RedisServer.start();
  const meter = await RedisMeter.open(server.port);
  const found = new Map<string, Found>();
  try {
    for (const one of quick ? [failing(1)] : ALL) {
      found.set(one.name, await measure(one, { server, meter, replicas, windowMs, isSettled: !quick }));
    }
  } finally {
    meter.close();
    await server.stop();
  }
  return sectionOf(found, replicas, windowMs);
}

interface Setting {
  readonly server: RedisServer;
  readonly meter: RedisMeter;
  readonly replicas: number;
  readonly windowMs: number;
  /** Whether replicas are waited for to know each other, and the load to have lasted. */
  readonly isSettled: boolean;
}

/** A fleet of its own for each case: what one has opened is not there in the next. */
async function measure(one: Case, { server, meter, replicas: count, windowMs, isSettled }: Setting) {
  const service = one.name.replace(/\W/g, '-');
  const replicas = await Replicas.start(count, { redis: server.url, service });
  try {
    if (isSettled) await replicas.meet();
    await replicas.load(one);
    if (isSettled) await pause(SETTLE_MS);
    await replicas.calls();
    const work = await meter.during(() => pause(windowMs));
    const perSecond = (value: number) => value / count / (windowMs / 1_000);
    const calls = perSecond(await replicas.calls());
    if (isSettled && Math.abs(calls - one.perSecond) > one.perSecond / 10) {
      throw new Error(`${one.name}: ${calls} calls a second`);
    }
    const { sent, inBytes, outBytes, scriptUs } = work;
    return { sent: perSecond(sent), bytes: perSecond(inBytes + outBytes), scriptUs: perSecond(scriptUs) };
  } finally {
    await replicas.stop();
  }
}

function healthy(perSecond: number): Case {
  return load(`healthy, ${perSecond} calls a second`, { perSecond, targets: 1 });
}

function failing(troubled: number): Case {
  return load(`${troubled} of ${2 * troubled} targets fail`, { targets: 2 * troubled, troubled, failing: 1 });
}

function load(
  name: string,
  { perSecond = RATE, targets = 1, troubled = 0, failing = 0 }: Partial<Record<keyof Load, number>>,
): Case {
  const names = Array.from({ length: targets }, (_, i) => `upstream:target-${i}`);
  return { name, perSecond, targets: names, troubled, failing };
}

function sectionOf(found: ReadonlyMap<string, Found>, count: number, windowMs: number): Section {
  const figures: Figure[] = [...found].flatMap(([name, { sent, bytes, scriptUs }]) => [
    figure(name, 'commands a second', estimateOf([sent])),
    figure(name, 'bytes a second', estimateOf([bytes])),
    figure(name, 'µs of script a second', estimateOf([scriptUs])),
  ]);
  const at = (rate: number) => found.get(healthy(rate).name)?.bytes ?? Number.NaN;
  const [none = 0, ...others] = RATES.filter((rate) => found.has(healthy(rate).name));
  return {
    title: 'What a replica costs Redis',
    notes: [
      `${count} replicas in processes of their own, ${windowMs / 1_000} s a case; figures are of one replica. Commands are those that`,
      "replicas send, bytes are both ways (INFO, less the benchmark's own). Calls are spread over all targets in turn,",
      `${RATE.toLocaleString('en')} a second in each replica where targets are compared.`,
      'Half of the targets are well in any case: where most fail, a process suspects itself and tells nothing.',
    ],
    figures,
    aims: others.map((rate) =>
      atMost(`bytes a second at ${rate} calls a second / at none`, MOST_GROWTH, at(rate) / at(none)),
    ),
  };
}
