/** An error in a handler that no frame of undici's is there to catch. */
export function rethrowLater(error: unknown): void {
  queueMicrotask(() => {
    throw error;
  });
}

/** Why a connection is given up whose answer nobody wants any more. */
export function notWorthReading(): Error {
  return new Error('the rest of an answer that another attempt replaces is not worth reading');
}

/** Why a call ends at once whose answer cannot be told. */
export function withoutStart(): Error {
  return new Error('an interceptor beneath healing passed on the body of an answer, but not its status');
}

/** What undici says where the caller gave no reason. */
export function abortError(): Error {
  const error = new Error('Request aborted');
  return Object.assign(error, { name: 'AbortError', code: 'UND_ERR_ABORTED' });
}
