import { StoreError } from '../../errors.ts';
import type { ClaimReply, FleetEntry, FleetNews, FleetView, Heartbeat, Snapshot } from '../store.ts';

const MAX_EPOCH = 2 ** 40;
const MAX_NAME = 4_096;
const MAX_ID = 64;
const FORCED = ['', 'open', 'closed'] as const;

type Fields = Readonly<Record<string, unknown>>;

function malformed(what: string, given: unknown): StoreError {
  return new StoreError(
    'malformed',
    `Redis answered what makes no sense: ${what} is ${JSON.stringify(given)?.slice(0, 80)}`,
  );
}

export function parseObjects(reply: unknown): Fields[] {
  if (!Array.isArray(reply)) throw malformed('a reply', reply);
  return reply.map(parseObject);
}

function parseObject(text: unknown): Fields {
  try {
    const parsed: unknown = JSON.parse(String(text));
    if (typeof parsed === 'object' && parsed !== null && !Array.isArray(parsed)) return parsed as Fields;
  } catch {}
  throw malformed('a part of a reply', text);
}

export function textOf(fields: Fields, name: string, most: number): string {
  const value = fields[name];
  if (typeof value !== 'string' || value.length > most) throw malformed(name, value);
  return value;
}

function numberOf(fields: Fields, name: string, most = Number.MAX_SAFE_INTEGER): number {
  const value = fields[name];
  if (typeof value !== 'number' || !(value >= 0 && value <= most)) throw malformed(name, value);
  return value;
}

function wordOf<W extends string>(fields: Fields, name: string, words: readonly W[]): W {
  const value = fields[name] as W;
  if (!words.includes(value)) throw malformed(name, value);
  return value;
}

export function flagOf(fields: Fields, name: string): boolean {
  const value = fields[name];
  if (typeof value !== 'boolean') throw malformed(name, value);
  return value;
}

const epochOf = (fields: Fields) => numberOf(fields, 'ep', MAX_EPOCH - 1);

export function viewOf(fields: Fields): FleetView {
  return {
    target: textOf(fields, 'target', MAX_NAME),
    epoch: epochOf(fields),
    epochId: textOf(fields, 'eid', MAX_ID),
    state: wordOf(fields, 'st', ['closed', 'open']),
    remainingMs: numberOf(fields, 'rem'),
    openMs: numberOf(fields, 'dur'),
    openings: numberOf(fields, 'n'),
    forced: wordOf(fields, 'f', FORCED) || null,
    forcedVersion: numberOf(fields, 'fv'),
    forcedToken: textOf(fields, 'ftok', MAX_ID),
    reporters: numberOf(fields, 'rep'),
  };
}

/** Views of exactly these targets, in this order. */
export function viewsOf(replies: readonly Fields[], targets: readonly string[]): FleetView[] {
  const views = replies.map(viewOf);
  const same = views.length === targets.length && views.every((view, i) => view.target === targets[i]);
  if (!same)
    throw malformed(
      'the list of targets',
      views.map((view) => view.target),
    );
  return views;
}

export function claimReplyOf(fields: Fields): ClaimReply {
  return { leaseMs: 'lease' in fields ? numberOf(fields, 'lease') : undefined, view: viewOf(fields) };
}

function cursorOf(fields: Fields): string {
  return checkCursor(fields.cursor);
}

export function checkCursor(cursor: unknown): string {
  if (typeof cursor !== 'string' || !/^\d{1,20}-\d{1,20}$/.test(cursor)) throw malformed('a cursor', cursor);
  return cursor;
}

export function heartbeatOf([head = {}, ...unsettled]: readonly Fields[]): Heartbeat {
  return {
    live: numberOf(head, 'live'),
    cursor: cursorOf(head),
    unsettled: unsettled.map((fields) => ({
      target: textOf(fields, 'target', MAX_NAME),
      epoch: epochOf(fields),
    })),
  };
}

export function snapshotOf([head = {}, ...views]: readonly Fields[]): Snapshot {
  return { cursor: cursorOf(head), views: views.map(viewOf) };
}

/** What XREAD says of one stream. Entries that cannot be read are left out: they are passed only once. */
export function newsOf(reply: unknown, cursor: string): FleetNews {
  const rows: unknown = reply === null ? [] : (reply as unknown[][])?.[0]?.[1];
  if (!Array.isArray(rows)) throw malformed('a stream', reply);
  if (rows.length === 0) return { cursor, entries: [] };
  return { cursor: checkCursor((rows.at(-1) as unknown[])?.[0]), entries: rows.flatMap(entriesOf) };
}

function entriesOf(row: unknown): FleetEntry[] {
  const [name, text] = (row as [string, string[]])[1] ?? [];
  if (name !== 'e') return [];
  const { views, asks } = parseObject(text);
  const entries: FleetEntry[] = list(views).map((view) => ({ kind: 'view', view: viewOf(view as Fields) }));
  const targets = list(asks).map((ask) => textOf({ ask }, 'ask', MAX_NAME));
  return targets.length > 0 ? [...entries, { kind: 'ask', targets }] : entries;
}

function list(value: unknown): unknown[] {
  return Array.isArray(value) ? value : [];
}
