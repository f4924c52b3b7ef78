import { setTimeout as wait } from 'node:timers/promises';
import type { Demo } from './command.ts';
import type { Framework } from './frameworks/index.ts';
import { LineView } from './line-view.ts';
import { VARIANTS, type Variant } from './messages.ts';
import { Recent } from './recent.ts';
import { LENGTH_MS, type Phase, schedule } from './schedule.ts';
import { CLIENT_TIMEOUT_MS, CONNECTIONS, PATIENCE_MS, PRODUCT_SHARE, RATE, WARM_UP_MS } from './settings.ts';
import { Stage } from './stage.ts';
import { goodputRatio, printTable, WANTED_RATIO } from './table.ts';
import { Tally } from './tally.ts';
import { TerminalView } from './terminal-view.ts';
import { seconds, type View } from './view.ts';

const LOOK_EVERY_MS = 100;
/** While there is no fault, at least so many requests are answered in full. */
const WELL_SHARE = 0.95;

/** The demo: the load, the faults on their schedule, the view, and the table. */
export class ScheduledRun implements Demo {
  readonly interruptedCode = 1;
  readonly #tallies = { with: new Tally(), without: new Tally() };
  readonly #recent = new Recent();
  readonly #view: View = process.stdout.isTTY
    ? new TerminalView(this.#tallies, process.stdout)
    : new LineView(1_000, () => this.#recent.take());
  readonly #stage: Stage;
  readonly #framework: Framework;
  #began = Number.POSITIVE_INFINITY;

  constructor(framework: Framework) {
    this.#framework = framework;
    this.#stage = new Stage({
      framework,
      onSample: (sample) => {
        this.#tallies[sample.service as Variant].add(sample);
        this.#recent.add(sample);
      },
      onTold: (told) => this.#view.told(told, this.#now()),
    });
  }

  /** True if healing has reached what it must. */
  async run(): Promise<boolean> {
    console.log(introduction(this.#framework));
    await this.#stage.start();
    this.#began = performance.now() + WARM_UP_MS;
    const loaded = this.#stage.load(LENGTH_MS);
    const looking = setInterval(() => this.#look(), LOOK_EVERY_MS);
    await Promise.all([loaded, this.#injectFaults()]);
    clearInterval(looking);
    this.#view.end();
    return this.#conclude();
  }

  stop(): Promise<void> {
    return this.#stage.stop();
  }

  #now(): number {
    return performance.now() - this.#began;
  }

  #look(): void {
    const now = this.#now();
    if (now >= 0 && now <= LENGTH_MS + LOOK_EVERY_MS) this.#view.tick(now);
  }

  async #injectFaults(): Promise<void> {
    for (const phase of schedule) {
      await this.#begin(phase);
      await this.#end(phase);
    }
  }

  async #begin(phase: Phase): Promise<void> {
    await wait(phase.from - this.#now());
    this.#stage.inject(phase.upstream, phase.fault);
    this.#view.phase(phase, this.#now());
  }

  async #end(phase: Phase): Promise<void> {
    await wait(phase.to - this.#now());
    this.#stage.inject(phase.upstream, { kind: 'none' });
    this.#view.phase(undefined, this.#now());
  }

  #conclude(): boolean {
    console.log();
    printTable(this.#tallies);
    const ratio = goodputRatio(this.#tallies);
    const reached = ratio >= WANTED_RATIO;
    console.log(
      `\n${reached ? 'PASSED' : 'FAILED'}: with healing, ${ratio.toFixed(2)} times as many full answers in time ` +
        `(wanted: ${WANTED_RATIO}; degraded answers are not counted)`,
    );
    if (this.#wasTooBusy()) {
      console.log('This machine was too busy for fair figures: answers were late before any fault began.');
    }
    return reached;
  }

  #wasTooBusy(): boolean {
    const { from } = schedule[0] as Phase;
    return VARIANTS.some((variant) => this.#tallies[variant].fullShareBefore(from) < WELL_SHARE);
  }
}

function introduction(framework: Framework): string {
  return `
A shop, served by ${framework}, calls two upstreams, payments and catalog. It runs twice, with healing and without,
and each gets the same ${RATE} requests a second: ${100 * PRODUCT_SHARE} % of them look at a product, the others buy one.

- Clients give up after ${seconds(PATIENCE_MS)}.
- Both shops have at most ${CONNECTIONS} requests under way at their upstreams; further ones wait for their turn.
- Without healing, a request to an upstream may take ${seconds(CLIENT_TIMEOUT_MS)}.
- With healing: 0.4 s, a circuit breaker, retries within a budget, and substitutes, which say that they are.

The faults of these ${LENGTH_MS / 1_000} seconds:
${schedule.map(({ from, to, title }) => `- ${seconds(from)} to ${seconds(to)}: ${title}`).join('\n')}
`;
}
