import { channel } from 'node:diagnostics_channel';
import type { CircuitState } from '../circuit/circuit-machine.ts';
import type { SettingsChange } from '../config/settings-history.ts';
import type { OutlierReason } from '../hosts/outlier-detector.ts';
import type { StoreStatus } from '../store/insured-store.ts';
import type { FleetView } from '../store/store.ts';
import type { IncidentEntry, IncidentReport } from './incidents.ts';

interface TargetEvent {
  /** The target's name. */
  readonly target: string;
  /** Wall-clock ms since 1970. */
  readonly at: number;
}

/** A circuit changed its state. */
export interface TransitionEvent extends TargetEvent {
  readonly from: CircuitState;
  readonly to: CircuitState;
  /**
   * A trip rule's name, or `due`, `probes-succeeded`, `probes-failed`, `fleet-opened`, `fleet-closed`, `forced`,
   * `released`, `restored`, `never-open`.
   */
  readonly reason: string;
  /** What the person who forced it says. */
  readonly detail?: string | undefined;
  /** In observe mode: nothing was refused because of it. */
  readonly observed: boolean;
  readonly incidentId: string | undefined;
}

/** An incident began, or its story went on. */
export interface IncidentEvent extends TargetEvent {
  /** What has just happened: the last line of the incident's timeline. */
  readonly entry: IncidentEntry;
  readonly incident: IncidentReport;
}

/** An incident ended in health. */
export interface RecoveredEvent extends TargetEvent {
  readonly incident: IncidentReport;
  /** Ms from the first anomaly. */
  readonly tookMs: number;
}

/** One of a target's hosts was left out, or takes its share of the calls again. */
export interface HostEvent extends TargetEvent {
  readonly host: string;
  readonly what: 'ejected' | 'returned';
  /** Why it was ejected: `failures-in-a-row`, `failure-rate`, `latency` or `hang`. */
  readonly reason: OutlierReason;
  /** The figures that it was seen by. */
  readonly evidence: Readonly<Record<string, number>>;
  /** In observe mode: calls still went to it. */
  readonly observed: boolean;
  readonly incidentId: string | undefined;
}

/** Other settings are in force. */
export interface SettingsEvent extends TargetEvent, SettingsChange {}

/** The fleet's store has come, gone away, or come back. */
export interface StoreEvent extends StoreStatus {
  /** Wall-clock ms since 1970. */
  readonly at: number;
}

/** The fleet believes something else of a target than before. */
export interface FleetEvent extends TargetEvent {
  readonly view: FleetView;
}

export interface HealingEvents {
  transition: TransitionEvent;
  incident: IncidentEvent;
  recovered: RecoveredEvent;
  settings: SettingsEvent;
  host: HostEvent;
  store: StoreEvent;
  fleet: FleetEvent;
}

export type HealingEventName = keyof HealingEvents;
/** One for each `on`, since the same function may be given twice. */
interface Listener {
  readonly tell: (event: never) => unknown;
}

const CHANNELS = {
  transition: channel('healix:transition'),
  incident: channel('healix:incident'),
  recovered: channel('healix:recovered'),
  settings: channel('healix:settings'),
  host: channel('healix:host'),
  store: channel('healix:store'),
  fleet: channel('healix:fleet'),
};

/** The one place that tells: listeners, and `node:diagnostics_channel` under `healix:*`. */
export class EventHub {
  readonly #listeners = new Map<HealingEventName, Set<Listener>>();
  readonly #onListenerError: (error: unknown) => void;

  constructor(onListenerError: (error: unknown) => void) {
    this.#onListenerError = onListenerError;
  }

  on<N extends HealingEventName>(name: N, listener: (event: HealingEvents[N]) => void): () => void {
    const listeners = this.#listeners.get(name) ?? new Set();
    this.#listeners.set(name, listeners);
    const entry: Listener = { tell: listener };
    listeners.add(entry);
    return () => listeners.delete(entry);
  }

  publish<N extends HealingEventName>(name: N, event: HealingEvents[N]): void {
    CHANNELS[name].publish(event);
    for (const { tell } of [...(this.#listeners.get(name) ?? [])]) {
      try {
        const result = (tell as (event: HealingEvents[N]) => unknown)(event);
        if (result instanceof Promise) result.catch(this.#onListenerError);
      } catch (error) {
        this.#onListenerError(error);
      }
    }
  }
}

export function isEventName(name: string): name is HealingEventName {
  return Object.hasOwn(CHANNELS, name);
}

export const EVENT_NAMES: readonly string[] = Object.keys(CHANNELS);
