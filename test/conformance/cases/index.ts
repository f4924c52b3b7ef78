import type { Case } from '../harness/case.ts';
import { aborts } from './aborts.ts';
import { connections } from './connections.ts';
import { deadlines } from './deadlines.ts';
import { differential } from './differential.ts';
import { forgedHeaders } from './forged-headers.ts';
import { health } from './health.ts';
import { longHeld } from './long-held.ts';
import { modes } from './modes.ts';
import { mounts } from './mounts.ts';
import { names } from './names.ts';
import { onRefused } from './on-refused.ts';
import { outcomes } from './outcomes.ts';
import { peers } from './peers.ts';
import { probes } from './probes.ts';
import { propagation } from './propagation.ts';
import { refusals } from './refusals.ts';
import { settings } from './settings.ts';
import { slowClients } from './slow-clients.ts';
import { transparency } from './transparency.ts';

export const themes: Readonly<Record<string, readonly Case[]>> = {
  transparency,
  connections,
  names,
  outcomes,
  aborts,
  refusals,
  'on refused': onRefused,
  probes,
  peers,
  'long held': longHeld,
  deadlines,
  propagation,
  'slow clients': slowClients,
  'forged headers': forgedHeaders,
  mounts,
  settings,
  health,
  modes,
  differential,
};
