import { Counter, Gauge, Registry } from 'prom-client';
import type { FleetStatus } from './fleet/fleet.ts';
import type { TargetStatus } from './target-status.ts';

const STATES = ['closed', 'open', 'half-open'] as const;
/** Hosts past this number are summed up, lest a scrape grow without bound. */
const MOST_HOSTS = 1_000;
const QUANTILES = { p50: '0.5', p95: '0.95', p99: '0.99' } as const;

/**
 * The state of all targets as Prometheus text. Each scrape is made anew from the targets that there are, so
 * that a dropped target leaves no series behind.
 */
export function renderMetrics(
  targets: Readonly<Record<string, TargetStatus>>,
  fleet: FleetStatus | undefined,
): Promise<string> {
  const registry = new Registry();
  const registers = [registry];
  const counter = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Counter({ name, help, labelNames, registers });
  const gauge = <L extends string>(name: string, help: string, labelNames: L[]) =>
    new Gauge({ name, help, labelNames, registers });

  const calls = counter('healix_calls_total', 'Calls by what they came to.', ['target', 'outcome']);
  const slow = counter('healix_slow_calls_total', 'Calls that took longer than slowCallMs.', ['target']);
  const refusals = counter('healix_refusals_total', 'Calls that were refused.', ['target']);
  const retries = counter('healix_retries_total', 'Attempts beyond the first.', ['target']);
  const replaced = counter('healix_replaced_answers_total', 'Failed calls answered by other means.', [
    'target',
    'by',
  ]);
  const inFlight = gauge('healix_in_flight', 'Calls under way.', ['target']);
  const state = gauge('healix_circuit_state', '1 for the state that the circuit is in.', ['target', 'state']);
  const latency = gauge('healix_latency_seconds', 'Latency over the last 10 s.', ['target', 'quantile']);

  const hostCalls = counter('healix_host_calls_total', "Calls of a target's hosts by what they came to.", [
    'target',
    'host',
    'outcome',
  ]);
  const hostsOut = gauge('healix_host_out', '1 for a host that is ejected or being tried.', [
    'target',
    'host',
  ]);
  const ejections = counter('healix_host_ejections_total', 'How often a host was left out.', [
    'target',
    'host',
  ]);
  let hosts = 0;

  for (const [target, status] of Object.entries(targets)) {
    const { counts } = status;
    for (const outcome of ['success', 'failure', 'overload', 'ignored'] as const) {
      calls.inc({ target, outcome }, counts[outcome]);
    }
    slow.inc({ target }, counts.slow);
    refusals.inc({ target }, counts.refused);
    retries.inc({ target }, counts.retries);
    replaced.inc({ target, by: 'fallback' }, counts.fallbacks);
    replaced.inc({ target, by: 'stale' }, counts.staleAnswers);
    inFlight.set({ target }, status.inFlight);
    for (const name of STATES) state.set({ target, state: name }, status.state === name ? 1 : 0);
    for (const [key, quantile] of Object.entries(QUANTILES)) {
      const ms = status[key as keyof typeof QUANTILES];
      if (ms !== undefined) latency.set({ target, quantile }, ms / 1_000);
    }
    for (const { host: name, state, counts, ejections: times } of status.hosts ?? []) {
      const host = ++hosts > MOST_HOSTS ? 'other' : name;
      for (const outcome of ['success', 'failure', 'overload'] as const) {
        hostCalls.inc({ target, host, outcome }, counts[outcome]);
      }
      hostsOut.inc({ target, host }, Number(state !== 'in-use'));
      ejections.inc({ target, host }, times);
    }
  }
  if (fleet !== undefined) {
    const { store, live, suspectsItself } = fleet;
    gauge('healix_store_connected', '1 while the store takes writes.', []).set(
      Number(store.state === 'connected'),
    );
    counter('healix_store_failures_total', 'Calls of the store that failed.', []).inc(store.failures);
    gauge('healix_replicas', 'Replicas alive, as far as is known.', []).set(live);
    gauge('healix_self_suspicion', '1 while most that is called fails here.', []).set(Number(suspectsItself));
  }
  return registry.metrics();
}
