import type { Case } from '../harness/case.ts';
import { aborts } from './aborts.ts';
import { connections } from './connections.ts';
import { names } from './names.ts';
import { outcomes } from './outcomes.ts';
import { transparency } from './transparency.ts';

export const themes: Readonly<Record<string, readonly Case[]>> = {
  transparency,
  connections,
  names,
  outcomes,
  aborts,
};
