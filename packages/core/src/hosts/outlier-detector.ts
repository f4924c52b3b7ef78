import type { OutlierOptions, OutlierSettings } from '../config/schema.ts';
import { resolveOutlier } from '../config/settings.ts';
import { type CallFigures, typicalMs } from './call-log.ts';

export type OutlierReason = 'failures-in-a-row' | 'failure-rate' | 'latency' | 'hang';

/** Why a host is taken for an outlier, and the figures that show it. */
export interface OutlierFinding {
  readonly reason: OutlierReason;
  readonly evidence: Readonly<Record<string, number>>;
}

/** Calls that have had no answer for `hangMs`, and the answers that have come. */
export interface HangFigures {
  readonly stuck: number;
  readonly good: number;
  readonly bad: number;
}

/** Standard deviations between what is seen and what is taken for certain: it is looked at ten times a second. */
const SURE = 3;
/** Chance makes a row of failures once in so many. */
const CHANCE = 1e-6;
/** No peer is so good that fewer failures in a row would be no chance. */
const LEAST_FAILURE_RATE = 0.01;
const MOST_FAILURE_RATE = 0.99;
/** Peers of whose last answers fewer were good have trouble of their own. */
const GOOD_PEERS = 0.75;
/** A host of whose last answers more were good has no trouble now. */
const MENDED = 0.9;
/** A difference in latency below this is none: the runtime's time is that coarse. */
const LEAST_SLOWER_MS = 20;
const HANG_FACTOR = 10;
const SHORTEST_HANG_MS = 250;
const LEAST_STUCK = 3;

/**
 * Tells the host that is worse than its peers from those that are all alike: by failures in a row, by the rate of
 * failures, by latency, and by calls that hang (after Envoy's outlier detection, whose success-rate ejection also
 * compares with the others; for few hosts the confidence interval of Wilson, 1927, takes the place of a standard
 * deviation among them). What all hosts have is no outlier. It keeps nothing: figures go in, findings come out.
 */
export class OutlierDetector {
  readonly settings: OutlierSettings;

  /**
   * @param options what differs from the defaults of `docs/settings.md`, section outlier
   * @throws ConfigError for a wrong setting
   */
  constructor(options: OutlierOptions = {}) {
    this.settings = resolveOutlier(options);
  }

  /** Whether peers are well, whose last few answers had this share of good ones. */
  areWell(good: number): boolean {
    return good >= GOOD_PEERS;
  }

  /**
   * Whether so many failures in a row say something of a host whose peers are well.
   *
   * @param peers what their calls came to lately
   */
  inARow(streak: number, peers: CallFigures): OutlierFinding | undefined {
    const rate = peers.answered === 0 ? 0 : peers.bad / peers.answered;
    const byChance =
      Math.log(CHANCE) / Math.log(Math.min(MOST_FAILURE_RATE, Math.max(LEAST_FAILURE_RATE, rate)));
    if (streak < Math.max(this.settings.failures, byChance)) return undefined;
    return { reason: 'failures-in-a-row', evidence: { failures: streak, peersFailureRate: rate } };
  }

  /**
   * Compares the failures of a host with those of its peers over the same time.
   *
   * @param good share of good ones among its last few answers: what is over is no reason
   */
  byRate(own: CallFigures, peers: CallFigures, good: number): OutlierFinding | undefined {
    const { minimumCalls, failureRate } = this.settings;
    if (good > MENDED || own.answered < minimumCalls || peers.answered < minimumCalls) return undefined;
    if (!this.areWell(1 - peers.bad / peers.answered)) return undefined;
    const atLeast = wilson(own.bad, own.answered, -SURE);
    const peersAtMost = wilson(peers.bad, peers.answered, SURE);
    if (atLeast < peersAtMost + failureRate) return undefined;
    const evidence = {
      calls: own.answered,
      failureRate: own.bad / own.answered,
      peersFailureRate: peers.bad / peers.answered,
    };
    return { reason: 'failure-rate', evidence };
  }

  /** Whether there are enough latencies to compare. */
  canTime(own: CallFigures, peers: CallFigures): boolean {
    const { minimumCalls } = this.settings;
    return own.timed >= minimumCalls && peers.timed >= minimumCalls;
  }

  /** Compares the latencies of a host with those of its peers over the same time, where `canTime` holds. */
  byLatency(own: CallFigures, peers: CallFigures): OutlierFinding | undefined {
    const latencyMs = typicalMs(own) as number;
    const peersLatencyMs = typicalMs(peers) as number;
    if (!this.#isSlower(latencyMs, peersLatencyMs)) return undefined;
    return { reason: 'latency', evidence: { calls: own.timed, latencyMs, peersLatencyMs } };
  }

  /** How long a call may have no answer, in ms; undefined while nothing is known of its peers. */
  hangMs(peers: CallFigures): number | undefined {
    const { hangMs, minimumCalls } = this.settings;
    if (hangMs !== undefined) return hangMs;
    const typical = peers.timed < minimumCalls ? undefined : typicalMs(peers);
    return typical === undefined ? undefined : Math.max(SHORTEST_HANG_MS, typical * HANG_FACTOR);
  }

  /**
   * Whether the host hangs while its peers answer.
   *
   * @param own over the last `hangMs`
   * @param peers over the same time
   * @param before over a longer time: they are no better where they have just hung as well
   */
  byHang(own: HangFigures, peers: HangFigures, before: HangFigures = peers): OutlierFinding | undefined {
    if (own.stuck < LEAST_STUCK || own.good > 0) return undefined;
    if (
      ![peers, before].every(({ good, bad, stuck }) => good > 0 && this.areWell(good / (good + bad + stuck)))
    ) {
      return undefined;
    }
    return { reason: 'hang', evidence: { stuck: own.stuck } };
  }

  /** Whether an answer took longer than a host may take that is like its peers. */
  isSlow(latencyMs: number, peers: CallFigures): boolean {
    const typical = typicalMs(peers);
    return typical !== undefined && this.#isSlower(latencyMs, typical);
  }

  #isSlower(latencyMs: number, peersMs: number): boolean {
    return latencyMs >= peersMs * this.settings.slowFactor && latencyMs - peersMs >= LEAST_SLOWER_MS;
  }
}

/** An end of Wilson's score interval for the share that lies behind `bad` of `calls`. */
function wilson(bad: number, calls: number, deviations: number): number {
  const share = bad / calls;
  const square = deviations ** 2 / calls;
  const spread = deviations * Math.sqrt((share * (1 - share)) / calls + square / (4 * calls));
  return (share + square / 2 + spread) / (1 + square);
}
