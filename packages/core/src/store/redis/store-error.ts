import { StoreError } from '../../errors.ts';

/**
 * Why Redis did not do what it was asked. `unreachable`: no connection. `timeout`: no answer in time, though the
 * operation may have been carried out. `denied`: the Redis user may not. `refused`: Redis said no (read-only, full).
 * `malformed`: what it answered makes no sense.
 */
export type RedisFailure = 'unreachable' | 'timeout' | 'denied' | 'refused' | 'malformed';

/** An operation on the store in Redis failed. */
export class RedisStoreError extends StoreError {
  readonly reason: RedisFailure;

  constructor(reason: RedisFailure, message: string, cause?: unknown) {
    super(message, { cause });
    this.reason = reason;
  }
}

const DENIED = /NOPERM|No permissions|can't run this command|can't access .* key/i;

/** Tells what a client's rejection means. */
export function toStoreError(error: unknown): RedisStoreError {
  if (error instanceof RedisStoreError) return error;
  const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
  if (message === 'Command timed out') return new RedisStoreError('timeout', 'Redis did not answer', error);
  if (name !== 'ReplyError')
    return new RedisStoreError('unreachable', `no connection to Redis: ${message}`, error);
  if (DENIED.test(message)) return new RedisStoreError('denied', `Redis denies it: ${message}`, error);
  return new RedisStoreError('refused', `Redis refuses: ${message}`, error);
}
