import type { HealBrand } from '@healix/core/adapter';

/** Marks on middleware. */
export interface Branded extends HealBrand {
  /** The path of a health endpoint, without the `/` at its end. */
  readonly healixHealth?: string;
}

/**
 * OpenTelemetry's instrumentation of Koa wraps middleware in functions that keep none of its marks; but it lets be
 * what bears the mark of having been wrapped, which is a symbol of its own.
 */
const UNWRAPPED = new Proxy(Function.prototype, {
  get: (target, key, self) =>
    (typeof key === 'symbol' && key.description === 'koa-layer-patched') || Reflect.get(target, key, self),
  getPrototypeOf: () => Function.prototype,
});

/** Puts marks on a middleware, and has them stay in sight. */
export function brand<M extends object>(middleware: M, marks: Branded): M {
  Object.setPrototypeOf(middleware, UNWRAPPED);
  return Object.assign(middleware, marks);
}
