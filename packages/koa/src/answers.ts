import { exchangeOf, type InboundHooks, sendLateAnswer } from '@healix/core/adapter';
import type { KoaContext } from './context.ts';

/** How healix answers through Koa. */
export const answers: Pick<InboundHooks<KoaContext>, 'answer' | 'detach'> = {
  answer(ctx, answer) {
    const isLate = exchangeOf(ctx.req) !== undefined;
    if (isLate) {
      sendLateAnswer(ctx.res, answer);
      return;
    }
    ctx.status = answer.status;
    ctx.set(answer.headers);
    ctx.body = answer.body;
  },
  detach(ctx) {
    ctx.respond = false;
  },
};
