import type { Scenario } from '../scenario.ts';

export const flapping: Scenario = {
  name: 'flapping',
  title: 'Flapping, 2 s down, 2 s up',
  about: 'All hosts are down for 2 s and up for 2 s, five times.',
  faults: [0, 4_000, 8_000, 12_000, 16_000].map((fromMs) => ({ kind: 'down', fromMs, toMs: fromMs + 2_000 })),
  faultMs: 18_000,
};
