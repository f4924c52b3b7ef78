import type { Scenario } from './scenario.ts';
import { away } from './scenarios/away.ts';
import { calm } from './scenarios/calm.ts';
import { decisions } from './scenarios/decisions.ts';
import { emptied } from './scenarios/emptied.ts';
import { evidence } from './scenarios/evidence.ts';
import { lostWrites } from './scenarios/lost-writes.ts';
import { members } from './scenarios/members.ts';
import { network } from './scenarios/network.ts';
import { probes } from './scenarios/probes.ts';
import { storms } from './scenarios/storms.ts';

export const scenarios: readonly Scenario[] = [
  ...calm,
  ...evidence,
  ...probes,
  ...network,
  ...lostWrites,
  ...emptied,
  ...away,
  ...decisions,
  ...members,
  ...storms,
];
