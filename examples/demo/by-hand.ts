import type { Demo } from './command.ts';
import type { Framework } from './frameworks/index.ts';
import { LineView } from './line-view.ts';
import { Recent } from './recent.ts';
import { type Role, Stage } from './stage.ts';

const PORTS: Readonly<Record<Role, number>> = { with: 4000, without: 4001, payments: 4002, catalog: 4003 };
const A_WEEK_MS = 7 * 24 * 3_600_000;
const LOOK_EVERY_MS = 100;
const SUMMARY_EVERY_MS = 5_000;

/** `--serve`: everything runs, and whoever is at the terminal breaks and heals it. */
export class ByHand implements Demo {
  readonly interruptedCode = 0;
  readonly #recent = new Recent();
  readonly #view = new LineView(SUMMARY_EVERY_MS, () => this.#recent.take());
  readonly #stage: Stage;
  #began = 0;

  constructor(framework: Framework) {
    this.#stage = new Stage({
      framework,
      ports: PORTS,
      onSample: (sample) => this.#recent.add(sample),
      onTold: (told) => this.#view.told(told, this.#now()),
      onFault: (upstream, { kind }) =>
        this.#view.told({ target: upstream, text: `fault: ${kind}`, kind: 'circuit' }, this.#now()),
    });
  }

  async run(): Promise<boolean> {
    await this.#stage.start();
    console.log(hints(this.#stage.urls));
    this.#began = performance.now();
    const looking = setInterval(() => this.#view.tick(this.#now()), LOOK_EVERY_MS);
    await this.#stage.load(A_WEEK_MS);
    clearInterval(looking);
    return true;
  }

  stop(): Promise<void> {
    return this.#stage.stop();
  }

  #now(): number {
    return performance.now() - this.#began;
  }
}

function hints(urls: Readonly<Record<Role, string>>): string {
  return `
With healing: ${urls.with}   without: ${urls.without}
Upstreams: payments ${urls.payments}, catalog ${urls.catalog}. A steady load is on. Ctrl-C ends all of it.

Ask both:
  curl -i ${urls.with}/products/1
  curl -i -X POST ${urls.with}/products/1/buy
  curl -i -X POST ${urls.without}/products/1/buy

Break and mend an upstream (hang, errors, none):
  curl -X POST ${urls.payments}/fault/hang
  curl -X POST ${urls.catalog}/fault/errors
  curl -X POST ${urls.payments}/fault/none
  curl -X POST ${urls.catalog}/fault/none

Health, and metrics for Prometheus:
  curl ${urls.with}/health
  curl ${urls.with}/health/ready
  curl ${urls.with}/health/metrics

Hold a circuit open or closed, and give it back:
  curl -X POST ${urls.with}/circuits/payments/open
  curl -X POST ${urls.with}/circuits/payments/closed
  curl -X POST ${urls.with}/circuits/payments/free
`;
}
