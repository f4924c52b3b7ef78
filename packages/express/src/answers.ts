import { OutgoingMessage, type ServerResponse } from 'node:http';
import { exchangeOf, type InboundHooks, sendAnswer } from '@healix/core/adapter';
import type { Visit } from './visit.ts';

/**
 * How healix answers in Express. In place of a late handler it does so only where the user wishes it, since a
 * handler that is not told of the deadline goes on, and sends all the same.
 */
export function answersWith(deadlineAnswer: boolean): Pick<InboundHooks<Visit>, 'answer'> {
  return {
    answer({ req, res, known }, answer) {
      const isLate = exchangeOf(req) !== undefined;
      if (isLate && !(known?.deadlineAnswer ?? deadlineAnswer)) return;
      sendAnswer(res, answer);
      if (isLate) mute(res);
    },
  };
}

const headersSent = Object.getOwnPropertyDescriptor(OutgoingMessage.prototype, 'headersSent')?.get;

/**
 * Has a response take whatever is still sent, and do nothing with it. It says that no headers are sent, or else
 * Express would end the connection for an error that comes too late for an answer.
 */
function mute(res: ServerResponse): void {
  const { writeHead } = res;
  const self = () => res;
  const yes = () => true;
  const none = () => {};
  Object.defineProperty(res, 'headersSent', { configurable: true, get: () => false });
  Object.assign(res, {
    setHeader: self,
    setHeaders: self,
    appendHeader: self,
    removeHeader: none,
    flushHeaders: none,
    addTrailers: none,
    write: yes,
    /** Who wraps `end` may still be about to send the head. */
    writeHead: (...args: Parameters<typeof writeHead>) =>
      headersSent?.call(res) ? res : writeHead.apply(res, args),
    end(...args: unknown[]) {
      const done = args.findLast((argument) => typeof argument === 'function');
      if (done) queueMicrotask(done as () => void);
      return res;
    },
  });
}
