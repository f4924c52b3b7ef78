import { relative } from 'node:path';
import { expect } from 'vitest';
import type { Case } from '../harness/case.ts';
import type { Lab } from '../harness/lab.ts';
import { playBoth } from '../harness/play.ts';
import { type Script, scriptOf } from '../harness/script.ts';
import type { Service } from '../harness/service.ts';
import { variedApp } from '../harness/varied-app.ts';

/** One seed instead of all: the message of a failure says which. */
const ONE_SEED = Number(process.env.DIFFERENTIAL_SEED ?? 0);
const SEEDS = 900;
const AT_ONCE = 8;
/** Fewer than are asked: who breaks off, or closes after a bad body, does not answer those behind it. */
const LEAST_ANSWERED = 2_000;
/** Everything is switched on, and nothing may act: what is refused is another theme. */
const CALM = {
  deadlineMs: 60_000,
  timeoutMs: 60_000,
  circuit: { slowCallMs: 60_000, minimumCalls: 100_000, consecutiveFailures: 1_000 },
  policy: { concurrency: 1_000 },
};

/** The same requests to the same app, with healing and without: the same bytes. */
export const differential: readonly Case[] = [
  {
    title: `${SEEDS} connections, at least ${LEAST_ANSWERED} requests`,
    async run(lab) {
      const app = variedApp(mountsOf(lab));
      const healed = await lab.healed(app, { defaults: CALM });
      const services = [await lab.bare(app), healed] as const;
      const seeds = ONE_SEED > 0 ? [ONE_SEED] : Array.from({ length: SEEDS }, (_, i) => i + 1);
      let answered = 0;
      const work = async () => {
        for (let seed = seeds.shift(); seed !== undefined; seed = seeds.shift()) {
          const answers = await same(scriptOf(seed), services);
          answered += answers;
        }
      };
      await Promise.all(Array.from({ length: AT_ONCE }, work));
      if (ONE_SEED === 0) expect(answered).toBeGreaterThanOrEqual(LEAST_ANSWERED);
      const { targets } = healed.runtime.status();
      const refused = Object.values(targets).reduce((sum, { counts }) => sum + counts.refused, 0);
      expect(refused).toBe(0);
    },
  },
];

/** How many requests were answered, the same way by both. */
async function same(script: Script, services: readonly [Service, Service]): Promise<number> {
  const [expected, got] = await playBoth(script, services).catch((cause) => {
    throw new Error(reproduction(script), { cause });
  });
  expect(got, reproduction(script)).toEqual(expected);
  return expected.bytes.match(/HTTP\/1\.1 [2-5]\d\d /g)?.length ?? 0;
}

function reproduction(script: Script): string {
  const file = relative(process.cwd(), expect.getState().testPath ?? '');
  const command = `DIFFERENTIAL_SEED=${script.seed} npx vitest run ${file} -t differential`;
  const shortened = JSON.stringify(script).replace(
    /(.{1,8}?)\1{20,}/gs,
    (run, part) => `${part}<${run.length}>`,
  );
  return `${command}\n${shortened}`;
}

function mountsOf({ subject: { lacks } }: Lab) {
  return [
    'router' as const,
    ...(lacks['sub-apps'] ? [] : ['app' as const]),
    ...(lacks['closure-mounts'] ? [] : ['closure' as const]),
  ];
}
