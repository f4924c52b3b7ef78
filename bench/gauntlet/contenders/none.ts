import type { Contender } from '../contender.ts';

export const none: Contender = {
  name: 'none',
  about: 'No protection: one attempt, no timeout.',
  make: (world) => (request) => world.send(undefined, request),
};
