import type { Operation, Priority } from '@healix/core';
import type { CallOptions } from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { findHeader } from './headers.ts';

/** Whether a body can be sent again: streams and iterators are used up by the first attempt. */
export function isReplayable(body: unknown): boolean {
  return body == null || typeof body === 'string' || ArrayBuffer.isView(body) || body instanceof ArrayBuffer;
}

/** What a request is admitted by. */
export function asksFor(options: Dispatcher.DispatchOptions, priority: Priority | undefined): Operation {
  return priority === undefined ? options : { method: options.method, priority };
}

/** What the target's policy judges by: the caller's word, an Idempotency-Key, or the method. */
export function operationOf(options: Dispatcher.DispatchOptions, own: CallOptions | undefined) {
  return {
    method: options.method,
    idempotent: own?.idempotent ?? options.idempotent,
    idempotencyKey: findHeader(options.headers, 'idempotency-key') !== undefined,
  };
}
