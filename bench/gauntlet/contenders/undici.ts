import { type Dispatcher, interceptors, type RetryHandler } from 'undici';
import type { Contender, ContenderWorld } from '../contender.ts';
import type { Answer } from '../world/attempt.ts';
import type { CallRequest } from '../world/call-request.ts';

/** A request on its way through undici's interceptor, beside the options that undici reads. */
interface Passage extends Dispatcher.DispatchOptions {
  readonly passenger: CallRequest;
  readonly leave: { answer?: Answer };
}

/** A connection's flow control, of which nothing is needed here but the abort. */
class Controller {
  aborted = false;
  paused = false;
  reason: Error | null = null;
  readonly rawHeaders = null;
  readonly rawTrailers = null;
  readonly #abort = new AbortController();

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  abort(reason: Error): void {
    this.aborted = true;
    this.reason = reason;
    this.#abort.abort(reason);
  }

  pause(): void {}
  resume(): void {}
}

/** The upstream in the place of undici's connections: the same calls of the handler, in the same order. */
function dispatchTo(world: ContenderWorld): Dispatcher.Dispatch {
  return (options, handler) => {
    const { passenger, leave } = options as Passage;
    const controller = new Controller();
    handler.onRequestStart?.(controller, {});
    world.send(undefined, passenger, controller.signal).then(
      (answer) => {
        leave.answer = answer;
        try {
          handler.onResponseStart?.(controller, answer.status, answer.headers, '');
          handler.onResponseEnd?.(controller, {});
        } catch (error) {
          handler.onResponseError?.(controller, error as Error);
        }
      },
      (error) => handler.onResponseError?.(controller, error),
    );
    return true;
  };
}

function undici(name: string, about: string, settings: RetryHandler.RetryOptions): Contender {
  return {
    name,
    about,
    make: (world) => {
      const dispatch = interceptors.retry(settings)(dispatchTo(world));
      return (request) => through(dispatch, request);
    },
  };
}

function through(dispatch: Dispatcher.Dispatch, request: CallRequest): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const leave: Passage['leave'] = {};
    const { signal } = request;
    const onAbort = () => connection?.abort(signal.reason);
    let connection: Dispatcher.DispatchController | undefined;
    const passage: Passage = {
      origin: 'http://upstream',
      path: '/',
      method: request.idempotent ? 'GET' : 'POST',
      passenger: request,
      leave,
    };
    dispatch(passage, {
      onRequestStart: (controller) => {
        connection = controller;
        signal.addEventListener('abort', onAbort);
      },
      onResponseStart: () => {},
      onResponseEnd: () => {
        signal.removeEventListener('abort', onAbort);
        resolve(leave.answer as Answer);
      },
      onResponseError: (_controller, error) => {
        signal.removeEventListener('abort', onAbort);
        reject(error);
      },
    });
  });
}

export const undiciDocumented = undici(
  'undici, documented',
  "undici 8's retry interceptor with its defaults: up to 5 retries of idempotent methods, after 0.5 s and twice that each time, or after Retry-After.",
  {},
);

export const undiciTuned = undici(
  'undici, tuned',
  "undici 8's retry interceptor for this load: up to 3 retries of idempotent methods, after 50 ms and twice that each time, at most 250 ms.",
  { maxRetries: 3, minTimeout: 50, maxTimeout: 250 },
);
