import type { Healing, IncidentEntry } from '@healix/core';
import type { Told } from '../messages.ts';
import { report } from './child.ts';

const LEVELS = ['observe', 'retry', 'degrade', 'limit', 'isolate', 'reset', 'escalate'];

/** Passes on what the runtime's events tell. Returns a way to tell more. */
export function tellOf(runtime: Healing): (target: string, text: string) => void {
  const tell = (target: string, text: string, kind: Told['kind'] = 'recovery') =>
    report({ type: 'told', told: { target: target.replace('upstream:', ''), text, kind } });
  runtime.on('transition', ({ target, from, to, reason, detail }) =>
    tell(target, `circuit ${from} -> ${to} (${detail ?? reason})`, 'circuit'),
  );
  runtime.on('incident', ({ target, entry }) => {
    const text = inWords(entry);
    if (text !== undefined) tell(target, text);
  });
  runtime.on('recovered', ({ target, tookMs }) =>
    tell(target, `recovered, ${(tookMs / 1_000).toFixed(1)} s after the first sign`),
  );
  return tell;
}

function inWords({ what, level = 0, strategy, detail, evidence = {} }: IncidentEntry): string | undefined {
  const name = `level ${level} ${LEVELS[level]}${strategy === LEVELS[level] ? '' : ` (${strategy})`}`;
  const failing = Math.round((evidence.failureRate ?? 0) * 100);
  switch (what) {
    case 'anomaly':
      return `anomaly: ${detail}${failing > 0 ? `, ${failing} % of calls fail` : ''}`;
    case 'responded':
      return `up to ${name}`;
    case 'undone':
      return `undone: ${name}`;
    default:
      return undefined;
  }
}
