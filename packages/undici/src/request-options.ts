import type { CallOptions } from '@healix/core/adapter';

/** What may stand as `healing` in the options of a request; `false` lets it pass unhealed. */
export type RequestHealing = CallOptions | false;

declare module 'undici' {
  namespace Dispatcher {
    interface DispatchOptions {
      /** Settings for this request, or `false`: not healed. */
      healing?: RequestHealing | undefined;
    }
    interface UpgradeOptions {
      /** Settings for this request, or `false`: not healed. */
      healing?: RequestHealing | undefined;
    }
  }
}
