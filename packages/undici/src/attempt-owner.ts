import type { Permit, Priority, Target } from '@healix/core';
import type { Dispatcher } from 'undici';

type Controller = Dispatcher.DispatchController;

/** The call that an attempt belongs to, which is the controller that its caller holds. */
export interface AttemptOwner extends Controller {
  readonly target: Target;
  readonly dispatch: Dispatcher['dispatch'];
  readonly handler: Dispatcher.DispatchHandler;
  readonly options: Dispatcher.DispatchOptions;
  /** What is dispatched for one attempt: to the host that was chosen for it, where there are several. */
  optionsFor(permit: Permit): Dispatcher.DispatchOptions;
  /** How much the call matters, where that was said. */
  readonly priority: Priority | undefined;
  readonly timeoutMs: number | undefined;
  /** When the whole call is out of time: for ever, where there is no deadline, or it is not in force. */
  readonly endsAt: number;
  /** The caller's own signal, where its options have one. */
  readonly signal: AbortSignal | undefined;
  /** Whether the caller's handler has seen the request start. */
  started: boolean;
  /** The attempt under way, and with the first one the call, may have begun so much later than was thought. */
  putOff(ms: number): void;
  /** Has another attempt follow a failed one; false if there is none. */
  repeat(retryAfterMs: number): boolean;
  /** Tells the caller's handler of the end. */
  fail(error: Error, controller?: Controller | null): void;
}
