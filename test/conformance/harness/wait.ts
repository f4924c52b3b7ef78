/**
 * How long anything is waited for that should come at once. Five seconds, since on two busy cores a process
 * was seen to get no turn for more than one; what has not come by then never comes.
 */
const PATIENCE_MS = 5_000;
const BETWEEN_LOOKS_MS = 5;

export const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** Looks until `probe` gives something true, or throws no more; fails with `what` when it takes too long. */
export async function until<T>(what: string, probe: () => T | Promise<T>): Promise<NonNullable<T>> {
  const giveUp = performance.now() + PATIENCE_MS;
  for (;;) {
    let problem: unknown;
    try {
      const found = await probe();
      if (found) return found;
    } catch (error) {
      problem = error;
    }
    if (performance.now() > giveUp) throw new Error(`waited in vain: ${what}`, { cause: problem });
    await pause(BETWEEN_LOOKS_MS);
  }
}

/** `promise`, or an error with `what` when it takes too long. */
export async function soon<T>(what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`waited in vain: ${what}`)), PATIENCE_MS);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** Something that a case opens, and a handler waits at. */
export class Gate {
  readonly passed: Promise<void>;
  open!: () => void;

  constructor() {
    this.passed = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}
