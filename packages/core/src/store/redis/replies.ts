import { StoreError } from '../../errors.ts';
import {
  checkClaim,
  checkEntry,
  checkForce,
  checkHeartbeat,
  checkNews,
  checkSnapshot,
  checkUnsettled,
  checkVerdict,
  checkView,
  checkViews,
  soundOf,
} from '../replies.ts';
import type {
  ClaimReply,
  FleetEntry,
  FleetNews,
  FleetView,
  ForceReply,
  Heartbeat,
  Snapshot,
  VerdictReply,
} from '../store.ts';

/** A JSON object of a script's reply; the headers of the .lua files say what its fields mean. */
export type Fields = Readonly<Record<string, unknown>>;

export function parseObjects(reply: unknown): Fields[] {
  if (!Array.isArray(reply)) throw malformed('no array');
  return reply.map(parseObject);
}

function parseObject(text: unknown): Fields {
  try {
    const parsed: unknown = JSON.parse(String(text));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields;
  } catch {}
  throw malformed('no object');
}

/** Views of exactly these targets, in this order. */
export function viewsOf(replies: readonly Fields[], targets: readonly string[]): FleetView[] {
  const views = checked(replies.map(view), checkViews(targets.length));
  if (!views.every(({ target }, i) => target === targets[i])) throw malformed('other targets');
  return views;
}

export function claimReplyOf(fields: Fields): ClaimReply {
  return checked({ leaseMs: fields.lease as number | undefined, view: view(fields) }, checkClaim);
}

export function verdictReplyOf(fields: Fields): VerdictReply {
  return checked({ counted: fields.counted as boolean, view: view(fields) }, checkVerdict);
}

export function forceReplyOf(fields: Fields): ForceReply {
  return checked({ accepted: fields.accepted as boolean, view: view(fields) }, checkForce);
}

export function heartbeatOf([head = {}, ...rest]: readonly Fields[]): Heartbeat {
  const told = rest.map(({ target, ep }) => ({ target: target as string, epoch: ep as number }));
  const unsettled = soundOf(told, checkUnsettled);
  return checked({ live: head.live as number, cursor: cursorOf(head.cursor), unsettled }, checkHeartbeat);
}

export function snapshotOf([head = {}, ...views]: readonly Fields[]): Snapshot {
  return checked(
    { cursor: cursorOf(head.cursor), views: soundOf(views.map(view), checkView) },
    checkSnapshot,
  );
}

/** What XREAD says of one stream. */
export function newsOf(reply: unknown, cursor: string): FleetNews {
  if (reply === null) return { cursor, entries: [] };
  const rows: unknown = (reply as unknown[][])[0]?.[1];
  if (!Array.isArray(rows)) throw malformed('no stream');
  const last: unknown = rows.at(-1)?.[0];
  return checked({ cursor: cursorOf(last), entries: rows.flatMap(entriesOf) }, checkNews);
}

export function cursorOf(cursor: unknown): string {
  if (typeof cursor === 'string' && /^\d{1,20}-\d{1,20}$/.test(cursor)) return cursor;
  throw malformed('no cursor');
}

/** A string of at most 1,000 characters. */
export function textOf(value: unknown): string {
  if (typeof value === 'string' && value.length <= 1_000) return value;
  throw malformed('no text');
}

// Whoever may write to Redis may add to the stream: what is no entry is left out.
function entriesOf(row: unknown): FleetEntry[] {
  try {
    const [name, text] = (row as [string, string[]])[1];
    if (name !== 'e') return [];
    const { views, asks } = parseObject(text);
    const entries: FleetEntry[] = list(views).map((fields) => ({
      kind: 'view',
      view: view(fields as Fields),
    }));
    const targets = list(asks) as string[];
    return soundOf(targets.length > 0 ? [...entries, { kind: 'ask', targets }] : entries, checkEntry);
  } catch {
    return [];
  }
}

// Of whatever types Redis brings: it is checked once it has the fields of a view.
function view(fields: Fields): FleetView {
  return {
    target: fields.target,
    epoch: fields.ep,
    epochId: fields.eid,
    state: fields.st,
    remainingMs: fields.rem,
    openMs: fields.dur,
    openings: fields.n,
    forced: fields.f === '' ? null : fields.f,
    forcedVersion: fields.fv,
    forcedToken: fields.ftok,
    reporters: fields.rep,
  } as FleetView;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}

function checked<T>(reply: T, check: (reply: T) => void): T {
  check(reply);
  return reply;
}

function malformed(why: string): StoreError {
  return new StoreError('malformed', `Redis replied what is no reply: ${why}`);
}
