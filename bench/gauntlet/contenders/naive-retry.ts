import type { Contender, ContenderWorld } from '../contender.ts';
import type { Answer } from '../world/attempt.ts';
import type { CallRequest } from '../world/call-request.ts';
import { orThrow } from './http-error.ts';

const ATTEMPTS = 3;
const TIMEOUT_MS = 333;

export const naiveRetry: Contender = {
  name: 'naive retry',
  about: `Up to ${ATTEMPTS} attempts of everything, at once after any error and after ${TIMEOUT_MS} ms without an answer, until the deadline.`,
  make: (world) => async (request) => {
    for (let attempt = 1; ; attempt++) {
      try {
        return await orThrow(sendWithTimeout(world, request));
      } catch (error) {
        if (attempt === ATTEMPTS || world.clock.now() >= request.deadlineAt) throw error;
      }
    }
  },
};

function sendWithTimeout(world: ContenderWorld, request: CallRequest): Promise<Answer> {
  const controller = new AbortController();
  const leftMs = request.deadlineAt - world.clock.now();
  const timer = world.clock.setTimer(() => controller.abort(), Math.min(TIMEOUT_MS, leftMs));
  return world.send(undefined, request, controller.signal).finally(() => timer.cancel());
}
