import { isIP } from 'node:net';
import { defaultHealing, type Healing, type Target, type TargetOptions } from '@healix/core';
import { LONGEST_NAME, type OutboundSettings, type UpstreamRequest } from '@healix/core/adapter';
import { findHeader } from './headers.ts';

const OTHER = 'upstream:other';
/** Spellings of origins that are remembered, for each name. */
const SPELLINGS = 4;

interface Origin {
  readonly name: string;
  /** The protocol where the host is an address: dns interceptors put the name into the host header. */
  readonly address: string | undefined;
  /** Undefined until a request goes there by that name. */
  target: Target | undefined;
}

/** The targets of one interceptor, by the origin of the request or the user's own key. Bounded in number. */
export class Upstreams {
  /** Whether a request goes to the origin that it names. */
  routes = true;
  readonly #settings: OutboundSettings;
  /** For what is named by its origin: it has a host already. */
  readonly #unkeyed: TargetOptions | undefined;
  readonly #byName = new Map<string, Target>();
  readonly #byOrigin = new Map<string, Origin>();
  #runtime: Healing | undefined;

  readonly #renewable: boolean;

  /** @param renewable whether connections to them can be made anew (recovery level 5) */
  constructor(settings: OutboundSettings, renewable: boolean) {
    this.#settings = settings;
    this.#renewable = renewable;
    const { hosts: _, ...unkeyed } = settings.defaults ?? {};
    this.#unkeyed = settings.defaults && unkeyed;
    this.#runtime = settings.runtime;
  }

  /** The runtime; where none was given, the process's shared one, as late as the first request. */
  get runtime(): Healing {
    this.#runtime ??= defaultHealing();
    return this.#runtime;
  }

  /** @param ownKey what the request itself says that it goes to */
  targetOf(request: UpstreamRequest, ownKey: string | undefined): Target {
    const key = ownKey ?? this.#keyOf(request);
    if (key !== undefined) return this.#named(key, this.#settings.defaults);
    const { origin } = request;
    const text = typeof origin === 'string' ? origin : (origin?.origin ?? '');
    const known = this.#byOrigin.get(text) ?? this.#read(text);
    const host = known.address === undefined ? undefined : findHeader(request.headers, 'host');
    if (host !== undefined) return this.#named(`${known.address}//${host}`, this.#unkeyed);
    known.target ??= this.#named(known.name, this.#unkeyed);
    return known.target;
  }

  #read(text: string): Origin {
    const url = URL.canParse(text) ? new URL(text) : undefined;
    const address = isAddress(url) ? url?.protocol : undefined;
    const origin: Origin = { name: url?.origin ?? OTHER, address, target: undefined };
    const kept = text.length <= LONGEST_NAME && this.#byOrigin.size < this.#settings.maxNames * SPELLINGS;
    if (kept) this.#byOrigin.set(text, origin);
    return origin;
  }

  #keyOf(request: UpstreamRequest): string | undefined {
    const { key } = this.#settings;
    if (key === undefined) return undefined;
    try {
      const name = key(request);
      return typeof name === 'string' && name !== '' ? name : undefined;
    } catch (error) {
      this.runtime.reportCallback('upstream:*', 'key', error);
      return undefined;
    }
  }

  #named(key: string, defaults: TargetOptions | undefined): Target {
    return this.#byName.get(key) ?? this.#add(key, defaults);
  }

  #add(key: string, defaults: TargetOptions | undefined): Target {
    const { maxNames } = this.#settings;
    const full = this.#byName.size >= maxNames || key.length > LONGEST_NAME;
    const name = full ? OTHER : key.startsWith('upstream:') ? key : `upstream:${key}`;
    const target = this.runtime.target(name, defaults);
    if (this.#renewable) target.connections.renewable = true;
    if (!full) this.#byName.set(key, target);
    return target;
  }
}

function isAddress(url: URL | undefined): boolean {
  return url !== undefined && isIP(url.hostname.replace(/^\[|\]$/g, '')) !== 0;
}
