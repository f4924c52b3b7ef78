import { pause } from '../../test/conformance/harness/wait.ts';
import { RedisServer } from '../../test/fleet/harness/redis-server.ts';
import { atMost, type Figure, figure, type Section } from '../report.ts';
import { estimateOf, median, quantile, seededRandom } from '../statistics.ts';
import { patientStore } from './patient-store.ts';
import { CHANNEL, Replicas } from './replicas.ts';
import { monotonicMs } from './told-process.ts';
import { decide, prime } from './trips.ts';

const SERVICE = 'decision';
/** What each replica's calls come to: together enough for the fleet, nowhere enough for one, nor in a row. */
const [F, S] = ['failure', 'success'];
const TROUBLE = [F, S, F, F, S, F, F, S, F, F];
/** A replica looks at its own evidence so often: trouble begins anywhere between two looks. */
const STEP_MS = 100;
const MOST_RATIO = 2;
const MOST_WHOLE_MS = 400;

interface Found {
  readonly bare: number[];
  readonly decision: number[];
  readonly whole: number[];
}

/** Ms until the last replica knows, from several starts. */
export async function measureDecision(quick: boolean): Promise<Section> {
  const { repetitions, replicas: count } = quick
    ? { repetitions: 1, replicas: 2 }
    : { repetitions: 60, replicas: 5 };
  const found: Found = { bare: [], decision: [], whole: [] };
  const server = await RedisServer.start();
  const replicas = await Replicas.start(count, { redis: server.url, service: SERVICE });
  try {
    if (!quick) await replicas.meet();
    const measure = measuresOf(server, replicas);
    for (let i = 0; i < repetitions; i++) {
      found.bare.push(await measure.bare(`message ${i}`));
      found.decision.push(await measure.decision(`upstream:decision-${i}`));
      found.whole.push(await measure.whole(`upstream:whole-${i}`));
    }
    await measure.close();
  } finally {
    await replicas.stop();
    await server.stop();
  }
  return sectionOf(found, count, repetitions);
}

function measuresOf(server: RedisServer, replicas: Replicas) {
  const publisher = server.client();
  const store = patientStore(server.client(), SERVICE);
  const random = seededRandom(7);
  const succeed = (target: string) => replicas.each('call', { target, ends: ['success', 'success'] });
  return {
    /** From the command until the last subscriber has heard it. */
    async bare(message: string): Promise<number> {
      const heard = replicas.last('heardAt', { message });
      const began = monotonicMs();
      await publisher.publish(CHANNEL, message);
      return (await heard) - began;
    },
    /** From the report that decides until the circuit is open in the last replica. */
    async decision(target: string): Promise<number> {
      await succeed(target);
      const primed = await prime(store, [target]);
      const opened = replicas.last('openedAt', { target });
      const began = monotonicMs();
      await decide(store, primed);
      const took = (await opened) - began;
      await replicas.each('heal', { target });
      return took;
    },
    /** From the failure that suffices for the fleet until the circuit is open in the last replica. */
    async whole(target: string): Promise<number> {
      await succeed(target);
      await pause(2 * STEP_MS + random() * STEP_MS);
      const opened = replicas.last('openedAt', { target });
      const began = await replicas.last('call', { target, ends: TROUBLE });
      const took = (await opened) - began;
      await replicas.each('heal', { target });
      return took;
    },
    close: () => store.close(),
  };
}

function sectionOf({ bare, decision, whole }: Found, count: number, repetitions: number): Section {
  const bareMs = median(bare);
  const decisionMs = median(decision);
  const rows = (name: string, values: readonly number[], ratioTo?: string): Figure[] => {
    const sorted = Float64Array.from(values).sort();
    return [
      figure(name, 'ms', estimateOf(values), ratioTo, median(values) / bareMs),
      figure(`${name}, 95th percentile`, 'ms', estimateOf([quantile(sorted, 0.95)])),
    ];
  };
  return {
    title: 'How soon the last replica knows',
    notes: [
      `${count} replicas in processes of their own, ${repetitions} repetitions, each with a fresh target, of all three in turn.`,
      'Bare publish: from PUBLISH until the last of the same processes has the message. Decision: from the report that opens',
      'the circuit, its script included, until it is open in the last process. Whole: all replicas have trouble at once, alone',
      'too little to open; from the last of these failures until the circuit is open in the last process.',
    ],
    figures: [
      ...rows('bare publish', bare),
      ...rows('decision', decision, 'bare publish'),
      ...rows('whole', whole),
    ],
    aims: [
      atMost('decision / bare publish, medians', MOST_RATIO, decisionMs / bareMs),
      atMost('whole, median ms', MOST_WHOLE_MS, median(whole)),
    ],
  };
}
