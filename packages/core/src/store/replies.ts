import { StoreError } from '../errors.ts';
import type {
  ClaimReply,
  FleetEntry,
  FleetNews,
  FleetView,
  ForceReply,
  Heartbeat,
  Snapshot,
  VerdictReply,
} from './store.ts';

/** No epoch comes near it in a century. */
const MOST_EPOCHS = 2 ** 40;
const LONGEST_ID = 64;
const LONGEST_NAME = 2_048;
const LONE_SURROGATE = /\p{Cs}/u;
const LONGEST_MS = 86_400_000;

/** Whether replicas can share what is called so: a store keeps names as UTF-8, and replies with long ones are refused. */
export function isSharedName(name: string): boolean {
  return name !== '' && name.length <= LONGEST_NAME && !LONE_SURROGATE.test(name);
}

/** Those that pass: one that somebody else has spoilt is no reason to know nothing of the others. */
export function soundOf<T>(items: readonly T[], check: (item: T) => void): T[] {
  return items.filter((item) => {
    try {
      check(item);
      return true;
    } catch {
      return false;
    }
  });
}

/** What a store says is checked before it is believed: each of these throws where it is no reply. */
export function checkView(view: FleetView): void {
  demand(typeof view === 'object' && view !== null, 'a view');
  const { target, epoch, epochId, state, forced, forcedToken } = view;
  demand(isText(target, LONGEST_NAME) && target !== '', 'target');
  demand(isCount(epoch, MOST_EPOCHS), 'epoch');
  demand(isText(epochId, LONGEST_ID) && (epoch === 0 || epochId !== ''), 'epochId');
  demand(state === 'open' || state === 'closed', 'state');
  demand(forced === null || forced === 'open' || forced === 'closed', 'forced');
  demand(isText(forcedToken, LONGEST_ID), 'forcedToken');
  demand(isCount(view.forcedVersion, MOST_EPOCHS), 'forcedVersion');
  demand(isMs(view.remainingMs), 'remainingMs');
  demand(isMs(view.openMs), 'openMs');
  demand(isCount(view.openings, 1_000), 'openings');
  demand(isCount(view.reporters, 1e9), 'reporters');
}

export function checkViews(expected: number): (views: readonly FleetView[]) => void {
  return (views) => {
    demand(Array.isArray(views) && views.length === expected, `${expected} views`);
    views.forEach(checkView);
  };
}

export function checkClaim({ leaseMs, view }: ClaimReply): void {
  demand(leaseMs === undefined || isMs(leaseMs), 'leaseMs');
  checkView(view);
}

export function checkVerdict({ counted, view }: VerdictReply): void {
  demand(typeof counted === 'boolean', 'counted');
  checkView(view);
}

export function checkForce({ accepted, view }: ForceReply): void {
  demand(typeof accepted === 'boolean', 'accepted');
  checkView(view);
}

export function checkHeartbeat({ live, cursor, unsettled }: Heartbeat): void {
  demand(isCount(live, 1e9), 'live');
  demand(isText(cursor, LONGEST_ID), 'cursor');
  demand(Array.isArray(unsettled), 'unsettled');
  unsettled.forEach(checkUnsettled);
}

export function checkUnsettled({ target, epoch }: Heartbeat['unsettled'][number]): void {
  demand(isText(target, LONGEST_NAME) && isCount(epoch, MOST_EPOCHS), 'unsettled');
}

export function checkSnapshot({ cursor, views }: Snapshot): void {
  demand(isText(cursor, LONGEST_ID), 'cursor');
  demand(Array.isArray(views), 'views');
  views.forEach(checkView);
}

export function checkNews({ cursor, entries }: FleetNews): void {
  demand(isText(cursor, LONGEST_ID), 'cursor');
  demand(Array.isArray(entries), 'entries');
  entries.forEach(checkEntry);
}

export function checkEntry(entry: FleetEntry): void {
  if (entry.kind === 'view') checkView(entry.view);
  else demand(entry.kind === 'ask' && entry.targets.every((name) => isText(name, LONGEST_NAME)), 'an entry');
}

function isText(value: unknown, longest: number): value is string {
  return typeof value === 'string' && value.length <= longest;
}

function isCount(value: unknown, most: number): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < most;
}

function isMs(value: unknown): boolean {
  return typeof value === 'number' && value >= 0 && value <= LONGEST_MS;
}

function demand(is: boolean, what: string): void {
  if (!is) throw new StoreError('malformed', `the store's reply has a wrong ${what}`);
}
