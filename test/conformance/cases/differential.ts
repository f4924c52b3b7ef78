import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import { comparable } from '../harness/lab.ts';
import { type Script, scripts, VARIED } from '../harness/script.ts';
import type { Service } from '../harness/service.ts';

const SEEDS = [1, 2, 3];
const REQUESTS_A_SEED = 250;
/** Some are lost: a framework that closes the connection after a bad body does not hear those behind it. */
const LEAST_ANSWERED = 200;
/** Everything is switched on, and nothing may act: what is refused is another theme. */
const CALM = {
  deadlineMs: 60_000,
  circuit: { slowCallMs: 60_000, minimumCalls: 100_000, consecutiveFailures: 1_000 },
  policy: { concurrency: 1_000 },
};

/** All bytes that a server sends for a script. */
async function play(service: Service, { pipelined, lines }: Script): Promise<string> {
  const client = await service.connect();
  if (pipelined) {
    client.send(lines.map(({ bytes }) => bytes).join(''));
  } else {
    for (const { method, bytes } of lines) {
      const answer = await client.send(bytes).answer(method);
      if (answer.header('connection')?.toLowerCase() === 'close') break;
    }
  }
  return comparable(await client.whole(), service.port);
}

/** The same requests to the same app, with healing and without: the same bytes. */
export const differential: readonly Case[] = SEEDS.map((seed) => ({
  title: `${REQUESTS_A_SEED} requests of seed ${seed}`,
  async run(lab) {
    const bare = await lab.bare(VARIED);
    const healed = await lab.healed(VARIED, { defaults: CALM });
    let answered = 0;
    for (const script of scripts(seed, REQUESTS_A_SEED)) {
      const [expected, got] = await Promise.all([play(bare, script), play(healed, script)]);
      expect(got, JSON.stringify(script)).toBe(expected);
      answered += expected.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
    }
    expect(answered).toBeGreaterThan(LEAST_ANSWERED);
    const { targets } = healed.runtime.status();
    const refused = Object.values(targets).reduce((sum, { counts }) => sum + counts.refused, 0);
    expect(refused).toBe(0);
  },
}));
