import { type Figure, figure } from '../report.ts';
import { type Estimate, estimate, seededRandom, shuffled } from '../statistics.ts';

const REQUESTS = 20_000;
const WARM_UP_REQUESTS = 40_000;
/** Processes are started anew so often: one may be faster than its twin for as long as it lives. */
const GENERATIONS = 8;

/** What is measured: one process under one load. */
export interface Subject {
  cpuUs(): Promise<number>;
  send(requests: number): Promise<void>;
  stop(): void;
}

/** CPU time in µs a request, by role. */
type Round<R extends string> = Record<R, number>;

/** Interleaved rounds of requests to processes that live at once, one for each role. */
export class CpuRounds<R extends string> {
  readonly #name: string;
  readonly #generations: Round<R>[][];

  private constructor(name: string, generations: Round<R>[][]) {
    this.#name = name;
    this.#generations = generations;
  }

  static async measure<R extends string>(
    name: string,
    pairs: number,
    roles: readonly R[],
    start: (role: R) => Promise<Subject>,
  ): Promise<CpuRounds<R>> {
    const random = seededRandom(11);
    const generations: Round<R>[][] = [];
    for (let left = Math.min(GENERATIONS, pairs), open = pairs; left > 0; left--) {
      const rounds = Math.ceil(open / left);
      open -= rounds;
      generations.push(await measureGeneration(rounds, random, roles, start));
    }
    return new CpuRounds(name, generations);
  }

  figures(roles: readonly R[]): Figure[] {
    return roles.map((role) =>
      figure(
        `${this.#name}, ${role}`,
        'µs CPU a request',
        this.#estimate((round) => round[role]),
      ),
    );
  }

  /** What one role takes in relation to another, compared within each round. */
  ratio(one: R, other: R): Estimate {
    return this.#estimate((round) => round[one] / round[other]);
  }

  ratioFigure(one: R, other: R): Figure {
    return figure(`${this.#name}, ${one} / ${other}`, 'ratio', this.ratio(one, other));
  }

  #estimate(value: (round: Round<R>) => number): Estimate {
    return estimate(this.#generations.map((rounds) => rounds.map(value)));
  }
}

export function notesOn(pairs: number, processes: number): string[] {
  return [
    `${pairs} interleaved rounds of ${REQUESTS.toLocaleString('en')} requests with each of ${processes} processes that live at once,`,
    `started anew ${Math.min(GENERATIONS, pairs)} times. Ratios are taken within a round;`,
    'intervals count what one process was faster than its twin as error.',
  ];
}

async function measureGeneration<R extends string>(
  rounds: number,
  random: () => number,
  roles: readonly R[],
  start: (role: R) => Promise<Subject>,
): Promise<Round<R>[]> {
  const subjects = await Promise.all(roles.map(async (role) => ({ role, subject: await start(role) })));
  try {
    for (const { subject } of subjects) await subject.send(WARM_UP_REQUESTS);
    const found: Round<R>[] = [];
    for (let i = 0; i < rounds; i++) {
      const round = {} as Round<R>;
      for (const { role, subject } of shuffled(subjects, random)) {
        const before = await subject.cpuUs();
        await subject.send(REQUESTS);
        round[role] = ((await subject.cpuUs()) - before) / REQUESTS;
      }
      found.push(round);
    }
    return found;
  } finally {
    for (const { subject } of subjects) subject.stop();
  }
}
