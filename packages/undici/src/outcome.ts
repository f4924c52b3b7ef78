import type { Outcome, Target } from '@healix/core';
import type { Dispatcher } from 'undici';

/** Below this no status is anything but a success, unless the target has a classifier of its own. */
const FIRST_UNCERTAIN = 429;

/** Errors that say something of the caller, or of its dispatcher, and nothing of the other side. */
const OWN_FAULTS: ReadonlySet<unknown> = new Set([
  'UND_ERR_INVALID_ARG',
  'UND_ERR_INVALID_RETURN_VALUE',
  'UND_ERR_NOT_SUPPORTED',
  'UND_ERR_ABORTED',
  'UND_ERR_DESTROYED',
  'UND_ERR_CLOSED',
  'UND_ERR_REQ_CONTENT_LENGTH_MISMATCH',
  'UND_MOCK_ERR_MOCK_NOT_MATCHED',
]);

/** Whether it takes more than a look at the status to say what an answer comes to. */
export function isUncertain(target: Target, status: number): boolean {
  return status >= FIRST_UNCERTAIN || target.settings.classify !== undefined;
}

/** What an answer says of the target. */
export function outcomeOfAnswer(target: Target, status: number, headers: object): Outcome {
  if (!isUncertain(target, status)) return 'success';
  return target.classify({ status, statusCode: status, headers });
}

/** What an error of a request says of the target. */
export function outcomeOfError(target: Target, { body }: Dispatcher.DispatchOptions, error: Error): Outcome {
  if (OWN_FAULTS.has((error as { code?: unknown })?.code)) return 'ignored';
  if ((body as { errored?: unknown } | null | undefined)?.errored === error) return 'ignored';
  return target.classify(undefined, error ?? new Error('unknown'));
}
