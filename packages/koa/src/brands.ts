import type { HealBrand } from '@healix/core/adapter';

/** Marks on middleware. */
export interface Branded extends HealBrand {
  /** The path of a health endpoint, without the `/` at its end. */
  readonly healixHealth?: string;
}
