import type { Scenario } from '../scenario.ts';

export const longTail: Scenario = {
  name: 'long-tail',
  title: '1 % long tail',
  about: 'One attempt in a hundred takes 50 times as long.',
  faults: [{ kind: 'tail', share: 0.01, factor: 50 }],
};
