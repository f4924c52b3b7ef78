import type { FleetView, Seed } from '../store.ts';
import { text, whole } from './input.ts';
import { MOST_OPENINGS, type TargetRecord } from './record.ts';
import type { Turn } from './turn.ts';

/** Takes in what a replica believes, where the memory knows less (R4). */
export function seed(record: TargetRecord, turn: Turn, input: Seed): void {
  const told = readView(input);
  if (record.epoch === 0) {
    record.create(turn, told.epoch);
    record.seeded = true;
    record.openings = told.openings;
    if (told.isOpen) record.believe(turn.now, told, told.remainingMs);
    takeForced(record, turn, told);
    return;
  }
  const wasOpen = record.state === 'open';
  if (told.epoch > record.epoch) {
    raise(record, turn, told.epoch);
    if (told.isOpen) record.believe(turn.now, told, told.remainingMs);
  } else if (isOtherRecord(record, told) && told.isOpen && told.remainingMs > 0) {
    raise(record, turn, told.epoch);
    record.believe(turn.now, told, told.remainingMs);
  }
  if (record.state === 'open' && !wasOpen) record.forgetReports();
  if (told.forcedVersion > record.forcedVersion) takeForced(record, turn, told);
}

type Told = ReturnType<typeof readView>;

function readView({ view, maxOpenMs }: Seed) {
  const { forced } = view;
  return {
    epoch: whole(view.epoch),
    epochId: text(view.epochId),
    isOpen: view.state === 'open',
    remainingMs: Math.min(whole(view.remainingMs), whole(maxOpenMs)),
    openMs: whole(view.openMs),
    openings: Math.min(whole(view.openings), MOST_OPENINGS),
    forced: (forced === 'open' || forced === 'closed' ? forced : null) as FleetView['forced'],
    forcedVersion: whole(view.forcedVersion),
    forcedToken: text(view.forcedToken),
  };
}

/** The same epoch, closed, and made by a replica that had not heard of it. */
function isOtherRecord(record: TargetRecord, { epoch, epochId }: Told): boolean {
  const { state, seeded } = record;
  return epoch === record.epoch && epochId !== record.epochId && state === 'closed' && seeded;
}

function raise(record: TargetRecord, turn: Turn, epoch: number): void {
  record.newEpoch(turn);
  record.epoch = epoch;
  record.seeded = true;
}

function takeForced(record: TargetRecord, turn: Turn, told: Told): void {
  record.forced = told.forced;
  record.forcedVersion = told.forcedVersion;
  record.forcedToken = told.forcedToken;
  turn.news = true;
}
