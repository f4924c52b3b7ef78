import type { Report } from '../store.ts';
import { text, whole } from './input.ts';
import type { TargetRecord } from './record.ts';
import { isSuspect, type StoredReport, soundTerms, sumUp, trips } from './trip.ts';
import type { Turn } from './turn.ts';

/** Where many report, what they say is added up so often at most. */
const BETWEEN_EVALUATIONS_MS = 100;
const MANY_REPORTS = 20;
const BETWEEN_ASKS_MS = 500;
/** However short the window, a suspicion goes on from ask to ask. */
const SUSPICION_MS = 1_000;
/** So long after the first ask, all who were asked may have answered. */
const ASKED_MS = 200;

/** Takes in what a replica has seen of a target, and opens it where that is reason enough (R6 to R9). */
export function report(record: TargetRecord, turn: Turn, input: Report): void {
  if (record.epoch === 0) {
    record.create(turn, whole(input.epoch));
    record.seeded = true;
  } else if (text(input.epochId) !== record.epochId || record.state === 'open') {
    return;
  }
  if (record.forced !== null) return;
  record.storeReport(turn.call.replica, storedReport(input, turn.now));
  const isEarly = turn.now - record.evaluatedAt < BETWEEN_EVALUATIONS_MS && record.evaluated > MANY_REPORTS;
  if (!isEarly) evaluate(record, turn, input);
}

function storedReport({ terms, calls, failures, streak, open }: Report, now: number): StoredReport {
  return {
    hash: text(terms?.hash).replaceAll(/[ \t\n\v\f\r]/g, ''),
    calls: whole(calls),
    failures: whole(failures),
    streak: whole(streak),
    open: open === true,
    at: now,
  };
}

function evaluate(record: TargetRecord, turn: Turn, input: Report): void {
  const { now } = turn;
  const terms = soundTerms(input.terms);
  const reports = record.reports(now);
  record.evaluatedAt = now;
  record.evaluated = reports.length;
  const sum = sumUp(reports, terms);
  if (sum.worst === undefined) return;
  if (isSuspect(sum, terms)) suspect(record, turn, terms.windowMs);
  const isAlone = turn.call.isAlone();
  const isAsked = record.firstAskAt > 0 && now - record.firstAskAt >= ASKED_MS;
  if (!(isAsked || isAlone) || !trips(sum, terms, isAlone)) return;
  if (record.closedAt === 0 || now - record.closedAt > terms.windowMs) record.openings = 0;
  record.open(turn, input.openTerms);
}

function suspect(record: TargetRecord, { now, call }: Turn, windowMs: number): void {
  const { lastAskAt } = record;
  if (lastAskAt === 0 || now - lastAskAt > Math.max(windowMs, SUSPICION_MS)) record.firstAskAt = now;
  if (lastAskAt !== 0 && now - lastAskAt < BETWEEN_ASKS_MS) return;
  record.lastAskAt = now;
  call.ask(record.target);
}
