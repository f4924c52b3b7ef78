import { StoreError } from '../../errors.ts';

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
