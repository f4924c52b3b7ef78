/**
 * Keeps this process from sleeping until `work` is done. Whoever sends to a process that sleeps pays for waking it, and
 * the more often the slower it is itself: an error that grows with what is measured.
 */
export async function awake<T>(work: Promise<T>): Promise<T> {
  let done = false;
  const turn = () => {
    if (!done) setImmediate(turn);
  };
  turn();
  try {
    return await work;
  } finally {
    done = true;
  }
}
