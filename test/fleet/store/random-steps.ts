import fc from 'fast-check';
import type { Force, OpenTerms, Report, TripTerms, Verdict } from '../../../packages/core/src/store/store.ts';

/** Where a step has the epoch's id from: what its replica was told last, what is so now, or nowhere. */
type Epoch = 'known' | 'current' | 'foreign';

export interface On {
  readonly replica: number;
  readonly target: number;
  readonly epoch: Epoch;
}

type Window = Pick<Report, 'calls' | 'failures' | 'streak' | 'open'> & { target: number; epoch: Epoch };

/**
 * One call of one replica. Tokens are places: 0 is the latest, 1 the one before; with `lease`, of those that were granted,
 * each on the target and in the epoch that it was granted for.
 */
export type Call =
  | { op: 'report'; replica: number; windows: Window[]; terms: TripTerms; openTerms: OpenTerms }
  | (On & { op: 'claim'; token: number; probes: number; timeoutMs: number; marginMs: number; defer: boolean })
  | (On & { op: 'renew'; token: number; lease: boolean; timeoutMs: number; marginMs: number })
  | (On & { op: 'settle'; token: number; lease: boolean; verdict: Verdict['verdict']; openTerms: OpenTerms })
  | (On & {
      op: 'seed';
      ahead: number;
      state: 'open' | 'closed' | 'same';
      remainingMs: number;
      maxOpenMs: number;
      forced: Force['state'];
      forcedAhead: number;
    })
  | (On & { op: 'force'; state: Force['state']; behind: number; again: boolean })
  | { op: 'heartbeat' | 'leave'; replica: number }
  | { op: 'snapshot'; replica: number; targets: number[] };

/** `until due`: until `ms` after a target is due, as it was told last. */
export type Step =
  | Call
  | { op: 'wait'; ms: number }
  | { op: 'until due'; target: number; ms: number }
  | { op: 'fail over' };

export const REPLICAS = 4;
const TARGETS = 2;

const replica = fc.nat(REPLICAS - 1);
const target = fc.nat(TARGETS - 1);
const epoch = fc.oneof(
  { weight: 8, arbitrary: fc.constant<Epoch>('current') },
  { weight: 3, arbitrary: fc.constant<Epoch>('known') },
  { weight: 1, arbitrary: fc.constant<Epoch>('foreign') },
);
const on = { replica, target, epoch };
const recent = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 4, arbitrary: fc.nat(2) },
  { weight: 1, arbitrary: fc.nat(20) },
);

/** A number as `sound`, and now and then one that is none. */
function number(sound: fc.Arbitrary<number>): fc.Arbitrary<number> {
  const unsound = fc.constantFrom(Number.NaN, Number.POSITIVE_INFINITY, -1, 0.5, 2.75, 1e300);
  return fc.oneof({ weight: 60, arbitrary: sound }, { weight: 1, arbitrary: unsound });
}

const terms = fc.constantFrom<TripTerms>(
  { failureRate: 0.5, minimumCalls: 8, streak: 6, windowMs: 10_000, quorum: 0.5, hash: 'h1' },
  { failureRate: 0.5, minimumCalls: 8, streak: 6, windowMs: 10_000, quorum: 0.5, hash: 'h1' },
  { failureRate: 0.3, minimumCalls: 20, streak: 40, windowMs: 1_500, quorum: 0.7, hash: 'h2' },
  { failureRate: 0, minimumCalls: 0, streak: 0, windowMs: 5_000, quorum: 0, hash: 'a b' },
);
const openTerms = fc.record<OpenTerms>({
  openMs: number(fc.constantFrom(150, 400, 1_000)),
  maxOpenMs: number(fc.constantFrom(600, 2_000)),
  noticeMs: number(fc.constantFrom(0, 0, 0, 700, 90_000)),
  chance: number(fc.constantFrom(0, 0.25, 0.5, 0.73, 1)),
});
const window = fc.record<Window>({
  target,
  epoch,
  calls: number(fc.integer({ min: 0, max: 24 })),
  failures: number(fc.oneof(fc.integer({ min: 0, max: 24 }), fc.integer({ min: 6, max: 10 }))),
  streak: number(fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 12 }))),
  open: fc.oneof({ weight: 6, arbitrary: fc.constant(false) }, { weight: 1, arbitrary: fc.constant(true) }),
});
const lease = fc.constantFrom(true, true, true, true, false);
const probeTime = {
  timeoutMs: number(fc.constantFrom(100, 400, 2_000, 900_000)),
  marginMs: number(fc.constantFrom(0, 50)),
};

const some = fc.constantFrom;
const report = fc.record({
  op: some('report'),
  replica,
  windows: fc.array(window, { minLength: 1, maxLength: 3 }),
  terms,
  openTerms,
});
const claim = fc.record({
  op: some('claim'),
  ...on,
  ...probeTime,
  token: fc.oneof({ weight: 5, arbitrary: fc.constant(-1) }, { weight: 1, arbitrary: recent }),
  probes: number(fc.integer({ min: 1, max: 3 })),
  defer: some(true, false, false),
});
const renew = fc.record({ op: some('renew'), ...on, ...probeTime, token: recent, lease });
const settle = fc.record({
  op: some('settle'),
  ...on,
  token: recent,
  lease,
  verdict: some('ok', 'ok', 'fail', 'fail', 'unused'),
  openTerms,
});
const seed = fc.record({
  op: some('seed'),
  ...on,
  ahead: fc.integer({ min: -1, max: 2 }),
  state: some('open', 'closed', 'same'),
  remainingMs: number(fc.constantFrom(0, 300, 1_000, 9_000)),
  maxOpenMs: number(fc.constantFrom(1_000, 2_000)),
  forced: fc.constantFrom<Force['state']>('open', 'closed', null),
  forcedAhead: fc.constantFrom(-1, ...new Array(20).fill(0), 1),
});
const force = fc.record({
  op: some('force'),
  ...on,
  state: fc.constantFrom<Force['state']>('open', 'closed', null, null, null, null, null, null),
  behind: fc.constantFrom(0, 0, 1),
  again: some(true, false, false, false),
});
const wait = fc.record({
  op: some('wait'),
  ms: fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(1, 99, 100, 200, 249, 250, 251, 300, 500, 1_000, 1_001) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 60 }) },
    { weight: 4, arbitrary: fc.integer({ min: 1, max: 1_500 }) },
    { weight: 1, arbitrary: fc.constantFrom(5_000, 10_001, 15_001, 3_600_000) },
    { weight: 1, arbitrary: fc.integer({ min: -4_000, max: -1 }) },
    { weight: 1, arbitrary: fc.constant(-30_000) },
  ),
});

const untilDue = fc.record({
  op: some('until due'),
  target,
  ms: fc.constantFrom(-301, -300, -200, -1, 0, 249, 250, 300),
});

export const steps: fc.Arbitrary<Step[]> = fc.array(
  fc.oneof<fc.MaybeWeightedArbitrary<Step>[]>(
    { weight: 12, arbitrary: wait },
    { weight: 6, arbitrary: untilDue },
    { weight: 16, arbitrary: claim },
    { weight: 12, arbitrary: settle },
    { weight: 10, arbitrary: report },
    { weight: 6, arbitrary: renew },
    { weight: 3, arbitrary: seed },
    { weight: 2, arbitrary: fc.record({ op: some('heartbeat'), replica }) },
    { weight: 1, arbitrary: force },
    { weight: 1, arbitrary: fc.record({ op: some('leave'), replica }) },
    {
      weight: 1,
      arbitrary: fc.record({
        op: some('snapshot'),
        replica,
        targets: fc.array(target, { maxLength: TARGETS }),
      }),
    },
    { weight: 1, arbitrary: fc.record({ op: some('fail over') }) },
  ),
  { minLength: 1, maxLength: 200, size: 'max' },
);
