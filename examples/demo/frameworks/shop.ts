import type { Healing } from '@healix/core';

/** What is served, whatever the framework. */
export interface Shop {
  /** Heals the routes; absent in the service without healing. */
  readonly runtime: Healing | undefined;
  readonly routes: readonly ShopRoute[];
}

export interface ShopRoute {
  readonly method: 'get' | 'post';
  readonly path: string;
  /** The answer's JSON. What it throws is answered with 500. */
  answer(params: Readonly<Record<string, string>>): Promise<object>;
}
