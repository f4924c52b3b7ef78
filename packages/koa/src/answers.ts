import { type InboundHooks, sendLateAnswer } from '@healix/core/adapter';
import type { KoaContext } from './context.ts';

/** How healix answers through Koa. */
export const answers: Omit<InboundHooks<KoaContext>, 'taken'> = {
  refuse(ctx, { status, headers, body }) {
    ctx.status = status;
    ctx.set(headers);
    ctx.body = body;
  },
  answerLate(ctx, answer) {
    sendLateAnswer(ctx.res, answer);
  },
  detach(ctx) {
    ctx.respond = false;
  },
};
