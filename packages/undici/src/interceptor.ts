import { ConfigError } from '@healix/core';
import {
  type Ambient,
  ambient,
  type CallOptions,
  deadlineError,
  isBeyondHealing,
  layOptions,
  type OutboundOptions,
  type OutboundSettings,
  readCallOptions,
  readOutboundOptions,
  shorter,
} from '@healix/core/adapter';
import type { Dispatcher } from 'undici';
import { Call } from './call.ts';
import { isLegacy, isModern, LegacyCaller, legacyDispatch } from './legacy.ts';
import { isHealed, markHealed, noteDispatcher } from './mark.ts';
import { asksFor } from './repeatable.ts';
import type {} from './request-options.ts';
import { Upstreams } from './upstreams.ts';

type Dispatch = Dispatcher['dispatch'];

/**
 * An interceptor that heals what goes through it, for `dispatcher.compose()`: circuit, policy, time limits, and
 * repeats of what is safe to repeat, one target an origin. Composed last it sees calls (one permit each, whatever
 * retry or redirect make of them); composed first it sees attempts.
 *
 * A refused request fails with a HealixError (`CircuitOpenError`, `OverloadError`, `RateLimitError`,
 * `PolicyError`), one that is out of time with a `DeadlineError`.
 *
 * @throws ConfigError
 */
export function healingInterceptor(options?: OutboundOptions): Dispatcher.DispatcherComposeInterceptor {
  return interceptorFor(readOutboundOptions(options), undefined);
}

/**
 * @param routes whether what is beneath sends a request to the origin that it names, so that healing may choose a
 * target's host; undefined: undici 8 tells of the one origin of a pool or client when it composes
 */
export function interceptorFor(
  settings: OutboundSettings,
  routes: boolean | undefined,
): Dispatcher.DispatcherComposeInterceptor {
  const upstreams = new Upstreams(settings, true);
  noteDispatcher();
  return (dispatch: Dispatch, onlyOrigin?: string | null): Dispatch => {
    upstreams.routes = routes ?? onlyOrigin === undefined;
    return function healedDispatch(request: Dispatcher.DispatchOptions, handler: Dispatcher.DispatchHandler) {
      return heal(upstreams, dispatch, request, handler);
    };
  };
}

/** Who speaks neither way, and what is no request at all, is left to the dispatcher to judge. */
function heal(
  upstreams: Upstreams,
  dispatch: Dispatch,
  request: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): boolean {
  if (typeof request !== 'object' || request === null) return dispatch(request, handler);
  if (isHealed(request) || upstreams.runtime.disabled) return dispatch(request, handler);
  if (request.healing === false) return dispatch(markHealed(request), handler);
  if (isModern(handler)) return begin(upstreams, dispatch, request, handler);
  if (!isLegacy(handler)) return dispatch(request, handler);
  return begin(upstreams, legacyDispatch(dispatch), request, new LegacyCaller(handler));
}

function begin(
  upstreams: Upstreams,
  dispatch: Dispatch,
  request: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
): boolean {
  const around = ambient();
  const scope = around?.scope;
  let own: CallOptions | undefined;
  try {
    own = ownOptions(request.healing, around?.options);
  } catch (error) {
    return refuse(request, handler, error as Error);
  }
  const target = upstreams.targetOf(request as never, own?.key);
  const ownMs = shorter(target.settings.deadlineMs, own?.deadlineMs);
  const deadlineMs = target.limitsTime ? shorter(ownMs, scope?.leftMs) : undefined;
  if (deadlineMs !== undefined && deadlineMs <= 0 && target.acts) {
    return refuse(request, handler, deadlineError(target, 'no time was left', 0));
  }
  const priority = target.priorityWithin(own, scope);
  const permit = target.acquire(asksFor(request, priority));
  if (!permit.ok) {
    scope?.refused(target);
    return refuse(request, handler, permit.toError());
  }
  target.callFor(permit, scope);
  const { time, budget } = target;
  if (!isBeyondHealing(permit.token)) budget?.deposit(time.current());
  const endsAt =
    deadlineMs !== undefined && deadlineMs > 0 ? time.current() + deadlineMs : Number.POSITIVE_INFINITY;
  const call = new Call(target, permit, dispatch, markHealed(request), handler, own, endsAt, priority);
  call.chooses = target.hosts !== undefined && upstreams.routes;
  return call.begin();
}

function ownOptions(given: unknown, around: Ambient['options']): CallOptions | undefined {
  if (given === undefined) return around;
  if (typeof given !== 'object' || given === null)
    throw new ConfigError('healing', given, 'an object, or false');
  const own = readCallOptions(given);
  return around === undefined ? own : layOptions(around, own);
}

/** Told as late as undici tells a failed connect: callers get hold of a stream only after they have dispatched. */
function refuse(
  request: Dispatcher.DispatchOptions,
  handler: Dispatcher.DispatchHandler,
  error: Error,
): true {
  queueMicrotask(() => {
    const { signal } = request as { signal?: AbortSignal | null };
    handler.onResponseError?.(null as never, signal?.aborted ? signal.reason : error);
  });
  return true;
}
