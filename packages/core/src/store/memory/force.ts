import type { Force } from '../store.ts';
import { text, whole } from './input.ts';
import type { TargetRecord } from './record.ts';
import type { Turn } from './turn.ts';

/** Compares and sets a person's decision (R15). @returns false where somebody else has decided in between */
export function force(record: TargetRecord, turn: Turn, input: Force): boolean {
  const token = text(input.token);
  const base = whole(input.baseVersion);
  if (record.epoch === 0) {
    record.create(turn, 1);
    record.forcedVersion = base;
  }
  if (record.forcedToken === token) return true;
  if (record.forcedVersion !== base) return false;
  const was = record.forced;
  record.forced = input.state === 'open' || input.state === 'closed' ? input.state : null;
  record.forcedVersion += 1;
  record.forcedToken = token;
  if (record.forced === null && was === 'open') record.dueNow(turn);
  else if (record.forced === null && was === 'closed') record.close(turn);
  else record.newEpoch(turn);
  return true;
}
