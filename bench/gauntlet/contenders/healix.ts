import { createHealing, type HealingOptions } from '@healix/core';
import type { Contender } from '../contender.ts';

/** healix around each call, as the README has it: the caller's deadline and whether it may be repeated are said. */
export function healix(name: string, about: string, options: HealingOptions): Contender {
  return {
    name,
    about,
    make: ({ clock, random, send }) => {
      const target = createHealing({ ...options, shared: false, clock, random }).target('upstream:api');
      return (request) =>
        target.run(({ signal }) => send(undefined, request, signal), {
          idempotent: request.idempotent,
          deadlineMs: request.deadlineAt - clock.now(),
        });
    },
  };
}
