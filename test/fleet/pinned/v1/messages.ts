// What replicas and scripts of version 1 say to each other, as it was when its first replicas were deployed.

export interface View {
  readonly target: string;
  readonly ep: number;
  readonly eid: string;
  readonly st: 'open' | 'closed';
  readonly rem: number;
  readonly dur: number;
  readonly n: number;
  readonly f: '' | 'open' | 'closed';
  readonly fv: number;
  readonly ftok: string;
  readonly rep: number;
}

export interface Reply extends View {
  readonly lease?: number;
  readonly counted?: boolean;
  readonly accepted?: boolean;
}

export interface Entry {
  readonly views?: readonly View[];
  readonly asks?: readonly string[];
}

export const terms = {
  failureRate: 0.5,
  minimumCalls: 20,
  streak: 20,
  windowMs: 10_000,
  quorum: 0.5,
  hash: fnv1a('0.5,20,20,10000').toString(36),
};

export const openTerms = () => ({ openMs: 1_000, maxOpenMs: 2_000, noticeMs: 0, chance: Math.random() });

export const claimTerms = { probes: 3, timeoutMs: 1_000, marginMs: 100, defer: false };

function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let at = 0; at < text.length; at++) hash = Math.imul(hash ^ text.charCodeAt(at), 0x01000193);
  return hash >>> 0;
}
