import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';

/** The same for all: V8 fits it to what a process loads, which shows in every request that follows. */
const YOUNG_GENERATION = ['--min-semi-space-size=16', '--max-semi-space-size=16'];

/** A child process whose CPU time is told apart from everybody else's. It answers each question with a number. */
export class MeasuredProcess {
  /** What the child said first: that it is ready, and where. */
  readonly greeting: number;
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess, greeting: number) {
    this.#child = child;
    this.greeting = greeting;
  }

  static async start(module: URL, args: readonly string[]): Promise<MeasuredProcess> {
    const child = fork(module, args, { execArgv: YOUNG_GENERATION });
    return new MeasuredProcess(child, await answerOf(child));
  }

  ask(question: string | number): Promise<number> {
    this.#child.send(question);
    return answerOf(this.#child);
  }

  /** CPU time so far, in µs. */
  cpuUs(): Promise<number> {
    return this.ask('cpu');
  }

  stop(): void {
    this.#child.disconnect();
  }
}

/** The child's side. @param answers each question but the one for CPU time */
export function answerParent(greeting: number, answers?: (question: number) => Promise<number>): void {
  process.on('message', async (question: string | number) => {
    if (typeof question === 'number') process.send?.(await answers?.(question));
    else process.send?.(cpuUs());
  });
  process.on('disconnect', () => process.exit());
  process.send?.(greeting);
}

function cpuUs(): number {
  const { user, system } = process.cpuUsage();
  return user + system;
}

async function answerOf(child: ChildProcess): Promise<number> {
  const gone = new AbortController();
  const onExit = () => gone.abort(new Error('a measured process ended'));
  child.once('exit', onExit);
  try {
    const [answer] = await once(child, 'message', { signal: gone.signal });
    return answer as number;
  } finally {
    child.off('exit', onExit);
  }
}
