import type { Series } from './series.ts';
import type { Alarm } from './watch.ts';

/** An alarm so soon after a fault is still about it, in s. */
const AFTERMATH_S = 90;

/** What a watcher made of one series. */
export interface Score {
  /** Seconds from the fault's start to the first alarm; undefined: not seen, or there is no fault. */
  readonly delay: number | undefined;
  /** What the fault was taken for. */
  readonly as: string | undefined;
  /** Seconds from the fault's end until the alarm was over; undefined where it was not seen, or never was over. */
  readonly over: number | undefined;
  /** Alarms without a fault. */
  readonly false: number;
  /** Hours in which an alarm would have been a false one. */
  readonly hours: number;
}

export function scoreOf({ seconds, fault }: Series, alarms: readonly Alarm[]): Score {
  if (fault === undefined) {
    const nothing = { delay: undefined, as: undefined, over: undefined };
    return { ...nothing, false: alarms.length, hours: seconds / 3_600 };
  }
  const { from, until } = fault;
  const clear = (at: number) => at <= from || at > until + AFTERMATH_S;
  const seen = alarms.find((alarm) => alarm.until > from && alarm.from <= until);
  const last = alarms.findLast((alarm) => alarm.from <= until + AFTERMATH_S && alarm.until > from);
  const isOver = last !== undefined && last.until < seconds;
  return {
    delay: seen && Math.max(0, seen.from - from),
    as: seen?.kind,
    over: seen && isOver ? Math.max(0, last.until - until) : undefined,
    false: alarms.filter((alarm) => clear(alarm.from)).length,
    hours: (seconds - (until + AFTERMATH_S - from)) / 3_600,
  };
}

/** The scores of all series of a kind, by the kind. */
export function byKind(series: readonly Series[], scores: readonly Score[]): Map<string, Score[]> {
  const groups = new Map<string, Score[]>();
  series.forEach(({ kind }, i) => {
    const group = groups.get(kind) ?? [];
    group.push(scores[i] as Score);
    groups.set(kind, group);
  });
  return groups;
}
