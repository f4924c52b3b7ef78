/**
 * Why a store did not do what it was asked. `unreachable`: no connection. `timeout`: no answer in time, though the
 * operation may have been carried out. `denied`: the Redis user may not. `refused`: Redis said no (read-only, full).
 * `malformed`: what it answered makes no sense.
 */
export type StoreErrorReason = 'unreachable' | 'timeout' | 'denied' | 'refused' | 'malformed';

/** An operation on the store failed. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly reason: StoreErrorReason;

  constructor(reason: StoreErrorReason, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.reason = reason;
  }
}

const DENIED = /NOPERM|No permissions|can't run this command|can't access .* key/i;

/** Tells what a client's rejection means. */
export function toStoreError(error: unknown): StoreError {
  if (error instanceof StoreError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (message === 'Command timed out')
    return new StoreError('timeout', 'Redis did not answer in time', error);
  if (name !== 'ReplyError') return new StoreError('unreachable', `Redis is not reached: ${message}`, error);
  if (DENIED.test(message)) return new StoreError('denied', `Redis denies it: ${message}`, error);
  return new StoreError('refused', `Redis refused: ${message}`, error);
}
