import { defaultHealing, type Healing } from '@healix/core';
import { runtimeAmong } from '@healix/core/adapter';
import { Admission } from './admission.ts';
import type { App, Branded, ExpressMiddleware, ExpressRequest, RoutedRequest } from './express.ts';
import { Family } from './family.ts';
import { handlesFor } from './layers.ts';
import { type HealOptions, readHealOptions } from './options.ts';
import { Tree } from './tree.ts';
import { methodOf } from './visit.ts';

/**
 * Settings for one route: `app.post('/orders', heal({ deadlineMs: 2_000 }), handler)`, or for all that come after
 * it in a router: `router.use(heal(…))`. Behind `healing()` they are read before the request is admitted; without
 * it, the request is admitted here, after what stands before. Of several for one route, each setting is what the
 * last that has it says.
 *
 * @param options settings, and the runtime for where no `healing()` stands before it; or that runtime
 * @throws ConfigError for a wrong setting
 */
export function heal(options: HealOptions | Healing = {}): ExpressMiddleware {
  const { runtime, settings, deadlineAnswer } = readHealOptions(options);
  const brand: Branded = {
    healixOptions: settings,
    healixRuntime: runtime,
    healixDeadlineAnswer: deadlineAnswer,
  };
  const own = {
    runtime,
    deadlineAnswer,
    defaults: settings,
    name: undefined,
    onRefused: undefined,
    maxNames: undefined,
  };
  const admissions = new Map<Healing, Admission<ExpressRequest>>();
  let isChecked = false;

  function admissionOf(req: RoutedRequest): Admission<ExpressRequest> {
    const handles = req.route === undefined ? [] : handlesFor(req.route, methodOf(req));
    const healing = runtimeAmong(handles) ?? runtime ?? defaultHealing();
    const known = admissions.get(healing);
    if (known !== undefined) return known;
    const admission = new Admission<ExpressRequest>(own, healing);
    admissions.set(healing, admission);
    return admission;
  }

  function heal(...[req, res, next]: Parameters<ExpressMiddleware>): void {
    const routed = req as RoutedRequest;
    if (!Admission.isThrough(routed)) {
      admissionOf(routed).here(routed, res, next);
      return;
    }
    if (!isChecked && routed.route === undefined) {
      isChecked = true;
      if (!isHeeded(brand, routed.app)) warn();
    }
    next();
  }
  return Object.assign(heal, brand);
}

/** Whether what stands in front of the app can see a middleware, and lend its settings to the routes after it. */
function isHeeded(brand: Branded, app: App): boolean {
  const family = new Family();
  return new Tree(family.rootOf(app), family).hasPassed(brand);
}

function warn(): void {
  process.emitWarning('heal() stands where healing() cannot take its settings from: they are not in force', {
    code: 'HEALIX_HEAL',
    detail: 'Put it beside a route, or before routes by `router.use(heal(…))`, without a path.',
  });
}
