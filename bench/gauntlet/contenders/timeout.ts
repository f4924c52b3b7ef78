import type { Contender } from '../contender.ts';

export const timeout: Contender = {
  name: 'timeout',
  about: "One attempt, aborted at the caller's deadline.",
  make: (world) => (request) => world.send(undefined, request, request.signal),
};
