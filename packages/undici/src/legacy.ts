import type { Duplex } from 'node:stream';
import type { Dispatcher } from 'undici';

type Controller = Dispatcher.DispatchController;
type Handler = Dispatcher.DispatchHandler;
type Headers = Record<string, string | string[] | undefined>;
type Raw = readonly (Buffer | string | readonly (Buffer | string)[])[];

/** A handler as undici 7 and 6 know them, the fetch of Node 22 and 24 among their callers. */
export interface LegacyHandler {
  onConnect(abort: (reason: Error) => void, context: unknown): void;
  onError(error: Error): void;
  onUpgrade?(status: number, headers: Raw, socket: Duplex): void;
  onResponseStarted?(): void;
  onHeaders?(status: number, headers: Raw, resume: () => void, statusText?: string): boolean | undefined;
  onData?(chunk: Buffer): boolean | undefined;
  onComplete?(trailers: Raw): void;
  onBodySent?(chunk: Buffer): void;
  onRequestSent?(): void;
}

/** A handler that says whether it reads headers: legacy ones come raw, and their callers want them so. */
interface Hearer extends Handler {
  wantsHeaders(status: number): boolean;
}

const UNREAD: Headers = Object.freeze({});

/** Whether a handler is one of today's. */
export function isModern(handler: Handler | undefined): boolean {
  return typeof handler?.onRequestStart === 'function' && typeof handler.onResponseError === 'function';
}

export function isLegacy(handler: unknown): handler is LegacyHandler {
  const { onConnect, onError } = (handler ?? {}) as Partial<LegacyHandler>;
  return typeof onConnect === 'function' && typeof onError === 'function';
}

/** Beneath a legacy caller is a dispatcher that may know no other handlers. */
export function legacyDispatch(dispatch: Dispatcher['dispatch']): Dispatcher['dispatch'] {
  return (options, handler) => dispatch(options, new LegacyFace(handler as Hearer) as Handler);
}

/** A legacy caller's handler as today's. */
export class LegacyCaller implements Handler {
  readonly #handler: LegacyHandler;

  constructor(handler: LegacyHandler) {
    this.#handler = handler;
  }

  onRequestStart(controller: Controller, context: unknown): void {
    this.#handler.onConnect((reason) => controller.abort(reason), context);
  }

  onRequestUpgrade(controller: Controller, status: number, _headers: Headers, socket: Duplex): void {
    this.#handler.onUpgrade?.(status, controller.rawHeaders as never, socket);
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onResponseStart(controller: Controller, status: number, _headers: Headers, statusText?: string): void {
    const resume = () => controller.resume();
    const wanted = this.#handler.onHeaders?.(status, controller.rawHeaders as never, resume, statusText);
    if (wanted === false) controller.pause();
  }

  onResponseData(controller: Controller, chunk: Buffer): void {
    if (this.#handler.onData?.(chunk) === false) controller.pause();
  }

  onResponseEnd(controller: Controller): void {
    this.#handler.onComplete?.(controller.rawTrailers as never);
  }

  onResponseError(_controller: Controller | null, error: Error): void {
    this.#handler.onError(error);
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }
}

/** One of today's handlers as a legacy one. */
class LegacyFace implements LegacyHandler {
  readonly #handler: Hearer;
  #controller: LegacyController | null = null;

  constructor(handler: Hearer) {
    this.#handler = handler;
  }

  onConnect(abort: (reason: Error) => void, context: unknown): void {
    this.#controller = new LegacyController(abort);
    this.#handler.onRequestStart?.(this.#controller, context);
  }

  onUpgrade(status: number, raw: Raw, socket: Duplex): void {
    const controller = this.#controller as LegacyController;
    controller.rawHeaders = raw as never;
    this.#handler.onRequestUpgrade?.(controller, status, parse(raw) as never, socket);
  }

  onResponseStarted(): void {
    this.#handler.onResponseStarted?.();
  }

  onHeaders(status: number, raw: Raw, resume: () => void, statusText?: string): boolean {
    const controller = this.#controller as LegacyController;
    controller.resumeBody = resume;
    controller.rawHeaders = raw as never;
    const headers = this.#handler.wantsHeaders(status) ? parse(raw) : UNREAD;
    this.#handler.onResponseStart?.(controller, status, headers as never, statusText);
    return !controller.paused;
  }

  onData(chunk: Buffer): boolean {
    const controller = this.#controller as LegacyController;
    this.#handler.onResponseData?.(controller, chunk);
    return !controller.paused;
  }

  onComplete(raw: Raw): void {
    const controller = this.#controller as LegacyController;
    controller.rawTrailers = raw as never;
    this.#handler.onResponseEnd?.(controller, UNREAD as never);
  }

  onError(error: Error): void {
    this.#handler.onResponseError?.(this.#controller as never, error);
  }

  onBodySent(chunk: Buffer): void {
    this.#handler.onBodySent?.(chunk);
  }

  onRequestSent(): void {
    this.#handler.onRequestSent?.();
  }
}

class LegacyController implements Controller {
  paused = false;
  aborted = false;
  reason: Error | null = null;
  rawHeaders: Buffer[] | null = null;
  rawTrailers: Buffer[] | null = null;
  resumeBody: (() => void) | undefined = undefined;
  readonly #abort: (reason: Error) => void;

  constructor(abort: (reason: Error) => void) {
    this.#abort = abort;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    if (!this.paused) return;
    this.paused = false;
    this.resumeBody?.();
  }

  abort(reason: Error): void {
    if (this.aborted) return;
    this.aborted = true;
    this.reason = reason;
    this.#abort(reason);
  }
}

function parse(raw: Raw | null | undefined): Headers {
  const headers: Headers = {};
  for (let i = 0; raw && i + 1 < raw.length; i += 2) {
    const name = text(raw[i]).toLowerCase();
    const given = raw[i + 1];
    const value = Array.isArray(given) ? given.map(text) : text(given);
    const known = headers[name];
    headers[name] = known === undefined ? value : [known, value].flat();
  }
  return headers;
}

function text(part: unknown): string {
  return Buffer.isBuffer(part) ? part.toString('latin1') : String(part);
}
