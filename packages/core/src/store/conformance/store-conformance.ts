import { clockCases } from './clock.ts';
import { evidenceCases } from './evidence.ts';
import { forceCases } from './forcing.ts';
import { hostileCases } from './hostile.ts';
import { membershipCases } from './membership.ts';
import { newsCases } from './news.ts';
import { probeCases } from './probes.ts';
import { seedCases } from './seeds.ts';
import type { StoreCase } from './subject.ts';
import { tripCases } from './trip.ts';
import { verdictCases } from './verdicts.ts';

/**
 * The rules that every store of a fleet keeps, as cases for any test runner: each rejects with an AssertionError where
 * the store under test breaks its rule. A store whose clock a test cannot move cannot be tried by them. Each case uses
 * a service name of its own, so that one server serves them all, one after the other.
 */
export const storeConformance: readonly StoreCase[] = [
  ...evidenceCases,
  ...tripCases,
  ...probeCases,
  ...verdictCases,
  ...seedCases,
  ...forceCases,
  ...membershipCases,
  ...newsCases,
  ...hostileCases,
  ...clockCases,
];
