import type { Demo } from '../command.ts';
import type { Phase } from '../schedule.ts';
import { PATIENCE_MS } from '../settings.ts';
import { seconds } from '../view.ts';
import { Half } from './half.ts';
import type { FleetOptions } from './options.ts';
import { RedisServer } from './redis-server.ts';
import { BEFORE_MS, RATE, REPLICAS, UPSTREAM_TIMEOUT_MS, WANTED_RATIO } from './settings.ts';
import { type Halves, printTable, reachedRatio } from './table.ts';

/** While there is no fault, no more than this share of requests may fail. */
const MOST_FAILED = 0.05;

/** The demo: the same outage twice, without sharing and with it, and the table. */
export class FleetRun implements Demo {
  readonly interruptedCode = 1;
  readonly #options: FleetOptions;
  readonly #outage: Phase;
  #redis: RedisServer | undefined;
  readonly #halves: Half[] = [];

  constructor(options: FleetOptions) {
    this.#options = options;
    this.#outage = {
      from: BEFORE_MS,
      to: BEFORE_MS + options.outageMs,
      upstream: 'payments',
      fault: { kind: 'hang' },
      title: 'payments is dead: it takes requests and answers none',
    };
  }

  async run(): Promise<boolean> {
    console.log(introduction(this.#options));
    const redis = this.#options.redis ?? (await this.#startRedis());
    const alone = this.#half('without sharing');
    const together = this.#half('with sharing', { redis, service: `demo-${process.pid}` });
    await together.start();
    await alone.start();
    console.log(`Replicas that share, over ${redis}: ${together.urls.join(', ')}`);
    console.log(`Replicas that do not: ${alone.urls.join(', ')}\n`);
    const halves = { without: await alone.run(), with: await together.run() };
    return conclude(halves);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#halves.map((half) => half.stop()));
    await this.#redis?.stop();
  }

  async #startRedis(): Promise<string> {
    const missing = await missingRedis();
    if (missing !== undefined) throw new Error(`${missing} Or name a Redis that runs: --redis redis://HOST`);
    this.#redis = new RedisServer();
    return this.#redis.start();
  }

  #half(title: string, sharing?: { redis: string; service: string }): Half {
    const { framework } = this.#options;
    const half = new Half({ title, outage: this.#outage, framework, sharing });
    this.#halves.push(half);
    return half;
  }
}

/** What to do where there is no Redis server, and none can be installed from here. */
async function missingRedis(): Promise<string | undefined> {
  const script = new URL('../../../scripts/system-packages.mjs', import.meta.url).href;
  return (await import(script)).missingForDemo()[0]?.without;
}

function conclude(halves: Halves): boolean {
  printTable(halves);
  const ratio = reachedRatio(halves);
  const reached = ratio >= WANTED_RATIO && halves.with.allClosedMs !== undefined;
  console.log(
    `\n${reached ? 'PASSED' : 'FAILED'}: without sharing, ${ratio.toFixed(1)} times as many requests ` +
      `reach the dead upstream (wanted: ${WANTED_RATIO}, and all circuits closed in the end)`,
  );
  if (Math.max(halves.without.failedShareBefore, halves.with.failedShareBefore) > MOST_FAILED) {
    console.log('This machine was too busy for fair figures: requests failed before any fault began.');
  }
  return reached;
}

function introduction({ framework, outageMs }: FleetOptions): string {
  return `
${REPLICAS.length} replicas of a shop's checkout, served by ${framework}, call one upstream, payments, which dies for ${seconds(outageMs)}.
This happens twice: first each replica heals for itself, then they share their circuits over Redis.

- ${RATE} orders a second in all; each goes to the next replica. Clients give up after ${seconds(PATIENCE_MS)}.
- A request to payments may take ${seconds(UPSTREAM_TIMEOUT_MS)}. One that was sent and not answered is a failure: nobody knows whether
  the order was charged. While the circuit is open nothing is sent, and orders are taken to be charged later.
- All other settings are healix's defaults.
`;
}
