import type { ForcedState } from '../config/schema.ts';

/** What the fleet knows of a target: its record in the store, as one replica is told of it. */
export interface FleetView {
  readonly target: string;
  /** Orders views of one target; 0 where the store has no record of it. */
  readonly epoch: number;
  /** Random, new with every epoch: evidence, claims and verdicts count only under the record's own. */
  readonly epochId: string;
  /** Half-open is not stored: it is open with nothing remaining. */
  readonly state: 'closed' | 'open';
  /** Ms until an open target may be tried; 0 once it may. */
  readonly remainingMs: number;
  /** The whole open time of this epoch, in ms. */
  readonly openMs: number;
  /** Openings without a calm between them. */
  readonly openings: number;
  readonly forced: ForcedState;
  /** Counts decisions of people; kept when one is taken back. */
  readonly forcedVersion: number;
  /** The token of the last decision. */
  readonly forcedToken: string;
  /** How many replicas have reports on the target. */
  readonly reporters: number;
}

/** When the fleet is to open a target. Only reports under the same terms are added up. */
export interface TripTerms {
  readonly failureRate: number;
  readonly minimumCalls: number;
  /** So many failures in a row, added up over replicas, are reason enough whatever the rate is. */
  readonly streak: number;
  /** A report older than this is left out. */
  readonly windowMs: number;
  /** Share of the replicas with reports on the target that must have trouble of their own. */
  readonly quorum: number;
  /** Names the terms: reports with another one are not added up. At most 16 characters of [0-9a-z]. */
  readonly hash: string;
}

/** How long a target that opens is to stay so: grows with each opening up to a bound, with jitter. */
export interface OpenTerms {
  readonly openMs: number;
  readonly maxOpenMs: number;
  /** The upstream asked not to be called for so long (Retry-After); 0 where it did not. */
  readonly noticeMs: number;
  /** From 0 to 1: chance, brought by the caller. */
  readonly chance: number;
}

/** One replica's own window on a target. It replaces the one before, so that sending it twice does no harm. */
export interface Report {
  readonly target: string;
  /** The reporter's view. A record that is missing is created with this epoch. */
  readonly epoch: number;
  readonly epochId: string;
  readonly calls: number;
  readonly failures: number;
  /** Failures since the last success. */
  readonly streak: number;
  /** Whether the circuit of this replica alone is open; its window is then the one that opened it. */
  readonly open: boolean;
  readonly terms: TripTerms;
  readonly openTerms: OpenTerms;
  /** The id of the epoch that begins, should this report open the target or create its record. */
  readonly nextId: string;
}

/** The wish to send one probe. */
export interface Claim {
  readonly target: string;
  readonly epochId: string;
  /** Random, made by the caller: the same claim again brings the same lease, and a used token brings none. */
  readonly token: string;
  /** Probes an epoch, for the whole fleet. */
  readonly probes: number;
  /** Half of what a lease lasts, without `marginMs`, in ms; no less than the probe may take. */
  readonly timeoutMs: number;
  readonly marginMs: number;
  /** This replica's last probe failed: others go first. */
  readonly defer: boolean;
  readonly nextId: string;
}

export interface ClaimReply {
  /** Ms until the lease ends; undefined where none was granted. */
  readonly leaseMs: number | undefined;
  readonly view: FleetView;
}

/** What a probe came to. `unused`: it was not sent, or says nothing of the target. */
export interface Verdict {
  readonly target: string;
  readonly epochId: string;
  readonly token: string;
  readonly verdict: 'ok' | 'fail' | 'unused';
  readonly openTerms: OpenTerms;
  readonly nextId: string;
}

export interface VerdictReply {
  /** False where the lease had ended, or belongs to another epoch. */
  readonly counted: boolean;
  readonly view: FleetView;
}

/** What a replica believes, told to a store that has lost writes. */
export interface Seed {
  readonly view: FleetView;
  /** Bounds how long the target stays open from now on. */
  readonly maxOpenMs: number;
  readonly nextId: string;
}

/** A person's decision. */
export interface Force {
  readonly target: string;
  readonly state: ForcedState;
  /** Random: the same decision told again is no conflict. */
  readonly token: string;
  /** `forcedVersion` of the view that the person decided upon. */
  readonly baseVersion: number;
  readonly nextId: string;
}

export interface ForceReply {
  /** False where somebody else has decided in between: `view` tells what. */
  readonly accepted: boolean;
  readonly view: FleetView;
}

export interface Heartbeat {
  /** Replicas alive, this one included. */
  readonly live: number;
  /** The last entry of the stream. */
  readonly cursor: string;
  /** Targets that are not closed or are forced, with the epochs of their records. */
  readonly unsettled: readonly { readonly target: string; readonly epoch: number }[];
}

export interface Snapshot {
  /** The last entry of the stream when the views were read. */
  readonly cursor: string;
  readonly views: readonly FleetView[];
}

/** `view`: a record has changed. `ask`: all who use these targets are to report. */
export type FleetEntry =
  | { readonly kind: 'view'; readonly view: FleetView }
  | { readonly kind: 'ask'; readonly targets: readonly string[] };

export interface FleetNews {
  readonly cursor: string;
  readonly entries: readonly FleetEntry[];
}

/**
 * What replicas of a service share their circuits through: the operations of the fleet protocol
 * (`docs/protocol.md`), each of them atomic. A store keeps to the protocol's rules and passes `storeConformance`. Its
 * methods reject where the store cannot be reached or does not answer; nobody on the request path waits for them.
 */
export interface Store {
  /** Called once, before all else: replicas that give the same name are one fleet. */
  open(service: string): void;
  /**
   * Says that this replica lives; asked every 5 s, and more often while a target is not closed. A record whose epoch is
   * 2^40 or more counts as none.
   */
  heartbeat(replica: string): Promise<Heartbeat>;
  /** Takes the replica off the members. */
  leave(replica: string): Promise<void>;
  /** Takes in what a replica has seen, and opens targets where that is reason enough. One view for each report. */
  report(replica: string, reports: readonly Report[]): Promise<readonly FleetView[]>;
  /** Asks for the right to send one probe. */
  claim(replica: string, claim: Claim): Promise<ClaimReply>;
  /** Makes a lease that is not used yet last longer, unless somebody else wants one. */
  renew(replica: string, claim: Claim): Promise<ClaimReply>;
  /** Tells what a probe came to, and closes or opens the target where that decides it. */
  settle(replica: string, verdict: Verdict): Promise<VerdictReply>;
  /** Tells a store that has lost writes what a replica knows. One view for each seed. */
  seed(replica: string, seeds: readonly Seed[]): Promise<readonly FleetView[]>;
  /** Compares and sets a person's decision. */
  force(replica: string, force: Force): Promise<ForceReply>;
  /** Views of targets that are not closed or are forced, at most 50 of them, and of all those named. */
  snapshot(targets: readonly string[]): Promise<Snapshot>;
  /**
   * News after `cursor`; waits up to `waitMs` for some. Rejects with the signal's reason once that is aborted, and for
   * a cursor that is none (`ms-sequence`).
   */
  read(cursor: string, waitMs: number, signal: AbortSignal): Promise<FleetNews>;
  /** Gives connections back. */
  close(): Promise<void>;
}

/** What a store does between `open` and `close`. */
export const STORE_OPERATIONS = [
  'heartbeat',
  'leave',
  'report',
  'claim',
  'renew',
  'settle',
  'seed',
  'force',
  'snapshot',
  'read',
] as const satisfies readonly (keyof Store)[];
