import { type InboundHooks, sendAnswer, sendLateAnswer } from '@healix/core/adapter';
import type { Visit } from './visit.ts';

/**
 * How healix answers in Express. In place of a late handler it does so only where the user wishes it, since a
 * handler that is not told of the deadline goes on, and sends all the same.
 */
export function answersWith(deadlineAnswer: boolean): Pick<InboundHooks<Visit>, 'refuse' | 'answerLate'> {
  return {
    refuse({ res }, answer) {
      sendAnswer(res, answer);
    },
    answerLate({ res, known }, answer) {
      if (!(known?.deadlineAnswer ?? deadlineAnswer)) return;
      sendLateAnswer(res, answer);
      // Or else Express would end the connection for an error that comes too late for an answer.
      Object.defineProperty(res, 'headersSent', { configurable: true, get: () => false });
    },
  };
}
