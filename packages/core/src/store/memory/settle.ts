import type { Verdict } from '../store.ts';
import { isTried } from './claim.ts';
import { text } from './input.ts';
import type { TargetRecord } from './record.ts';
import type { Turn } from './turn.ts';

/**
 * Takes in what a probe came to; most of an epoch's probes close the target, or open it again (R12).
 *
 * @returns false where the lease had ended, or belongs to another epoch
 */
export function settle(record: TargetRecord, turn: Turn, input: Verdict): boolean {
  if (!isTried(record, input)) return false;
  const token = text(input.token);
  const lease = record.leases.get(token);
  if (lease?.state !== 'held') return lease?.state === 'settled';
  if (lease.endsAt <= turn.now) {
    lease.state = 'used';
    return false;
  }
  lease.state = 'settled';
  if (input.verdict === 'ok') record.succeeded += 1;
  if (input.verdict === 'fail') record.failed += 1;
  if (input.verdict === 'unused') {
    record.leases.drop(token);
    record.granted -= 1;
  }
  decide(record, turn, input);
  return true;
}

function decide(record: TargetRecord, turn: Turn, { openTerms }: Verdict): void {
  const { probes, granted, succeeded, failed, leases } = record;
  const needed = Math.floor(probes / 2) + 1;
  if (succeeded >= needed) record.close(turn);
  else if (failed > probes - needed) record.open(turn, openTerms);
  else if (granted >= probes && !leases.anyHeld) record.dueNow(turn);
}
