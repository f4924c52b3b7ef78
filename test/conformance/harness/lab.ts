import { createHealing, type Healing, type HealingOptions } from '@healix/core';
import { SteadyClock } from '@healix/core/testing';
import { expect } from 'vitest';
import type { RawClient } from './raw-client.ts';
import { Service } from './service.ts';
import type { AppSpec, HealingSpec, Subject } from './subject.ts';

/** Where one case is tried on one subject. */
export class Lab {
  readonly subject: Subject;
  readonly #services: Service[] = [];

  constructor(subject: Subject) {
    this.subject = subject;
  }

  /** A runtime of its own. */
  runtime(options: HealingOptions = {}): Healing {
    return createHealing({ shared: false, clock: new SteadyClock(), ...options });
  }

  /** The app without healing. */
  bare(spec: AppSpec): Promise<Service> {
    return this.#start({ ...spec, healing: [] }, undefined);
  }

  /** The app with healing mounted once, unless it says itself where. */
  healed(spec: AppSpec, options: HealingOptions = {}, healing: HealingSpec = {}): Promise<Service> {
    const runtime = healing.runtime ?? this.runtime(options);
    const mounts = (spec.healing ?? [{}]).map((mount) => ({ ...healing, runtime, ...mount }));
    return this.#start({ ...spec, healing: mounts }, runtime);
  }

  /** The app as it stands, told about by `runtime`. */
  as(spec: AppSpec, runtime: Healing): Promise<Service> {
    return this.#start(spec, runtime);
  }

  /**
   * Has `talk` with the app without healing and with it: the same bytes must come back. Date headers and ports
   * are made equal first. Returns what came back.
   */
  async same(
    spec: AppSpec,
    talk: (client: RawClient, service: Service) => Promise<unknown>,
  ): Promise<{ text: string; healed: Service }> {
    const healed = await this.healed(spec);
    const texts: string[] = [];
    for (const service of [await this.bare(spec), healed]) {
      const client = await service.connect();
      await talk(client, service);
      texts.push(comparable(client.received, service.port));
    }
    const [bare, text] = texts as [string, string];
    expect(text).toBe(bare);
    return { text, healed };
  }

  /** Everything is given back, whatever the case did. */
  async finish(): Promise<void> {
    try {
      for (const service of this.#services) await service.settle();
    } finally {
      await Promise.all(this.#services.map((service) => service.close()));
    }
  }

  async #start(spec: AppSpec, runtime: Healing | undefined): Promise<Service> {
    const service = await Service.start(await this.subject.build(spec), runtime);
    this.#services.push(service);
    return service;
  }
}

/** Bytes without what differs from one run of a server to the next. */
export function comparable(received: Buffer, port: number): string {
  return received
    .toString('latin1')
    .replace(/^date: .*$/gim, 'date: normalised')
    .replaceAll(String(port), 'PORT');
}
