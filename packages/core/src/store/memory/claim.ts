import type { Claim } from '../store.ts';
import { text, whole } from './input.ts';
import type { TargetRecord } from './record.ts';
import type { Turn } from './turn.ts';

/** Probes are granted so long before an open target is due. */
const AHEAD_MS = 300;
/** So long after it is due each replica has one probe at most. */
const FAIR_MS = 250;
/** A lease is not renewed so long after somebody else has found none free. */
const WANTED_MS = 1_000;

/** Grants the right to send one probe (R10, R11). @returns ms until the lease ends; undefined where there is none */
export function claim(record: TargetRecord, turn: Turn, input: Claim): number | undefined {
  if (!isTried(record, input)) return undefined;
  const { now } = turn;
  const { replica } = turn.call;
  const token = text(input.token);
  record.leases.expire(now);
  const same = record.leases.get(token);
  if (same !== undefined) return same.state === 'held' ? same.endsAt - now : undefined;
  if (record.until - now > AHEAD_MS) return undefined;
  const probes = record.probes > 0 ? record.probes : Math.max(1, whole(input.probes));
  if (record.granted >= probes) {
    if (record.leases.anyHeld) record.wantedAt = now;
    else record.dueNow(turn);
    return undefined;
  }
  const isEarly = now < record.until + FAIR_MS;
  if (isEarly && (record.leases.anyOf(replica) || input.defer === true)) return undefined;
  record.granted += 1;
  record.probes = probes;
  const lastsMs = lengthOf(input);
  const endsAt = Math.max(now, record.until) + lastsMs;
  record.leases.grant(token, { replica, lastsMs, endsAt, state: 'held' });
  return endsAt - now;
}

/** Makes a lease that is held last longer, unless somebody else has wanted one lately (R13). @returns as `claim` */
export function renew(record: TargetRecord, { now }: Turn, input: Claim): number | undefined {
  const lease = isTried(record, input) ? record.leases.get(text(input.token)) : undefined;
  if (lease?.state !== 'held' || lease.endsAt <= now) return undefined;
  if (record.wantedAt > 0 && now - record.wantedAt <= WANTED_MS) return undefined;
  lease.lastsMs = lengthOf(input);
  lease.endsAt = Math.max(now, record.until) + lease.lastsMs;
  return lease.endsAt - now;
}

/** Whether probes of this epoch decide anything. */
export function isTried(record: TargetRecord, { epochId }: { readonly epochId: string }): boolean {
  const { epoch, forced, state } = record;
  return epoch > 0 && forced === null && state === 'open' && text(epochId) === record.epochId;
}

function lengthOf({ timeoutMs, marginMs }: Claim): number {
  return 2 * whole(timeoutMs) + whole(marginMs);
}
