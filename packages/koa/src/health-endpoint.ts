import {
  answerHealth,
  askedOfHealth,
  type HealthOptions,
  type HealthPath,
  readHealthOptions,
} from '@healix/core/adapter';
import { brand } from './brands.ts';
import type { KoaContext, KoaMiddleware, KoaNext } from './context.ts';

/** The runtime, the path, and whether to tell details. */
export interface HealthEndpointOptions extends HealthOptions {
  /** Where it answers. Default: `/health`. */
  path?: string | undefined;
}

/**
 * Health for people and probes: `app.use(healthEndpoint())` answers at `/health`, and below at `/live`, `/ready`
 * and `/metrics`. It is never refused itself.
 *
 * @throws ConfigError for a wrong setting
 */
export function healthEndpoint(options: HealthEndpointOptions = {}): KoaMiddleware {
  const { runtime, details } = readHealthOptions(options, { path: [isPath, 'a path that begins with /'] });
  const root = (options.path ?? '/health').replace(/\/+$/, '');
  async function healthEndpoint(ctx: KoaContext, next: KoaNext): Promise<unknown> {
    const below = healthPathOf(root, ctx);
    if (below === undefined) return next();
    const { status, headers, body } = await answerHealth(runtime, below, details);
    ctx.status = status;
    ctx.set(headers);
    ctx.body = body;
    return undefined;
  }
  return brand(healthEndpoint, { healixHealth: root });
}

/** What a health endpoint at `root` answers to a request; undefined where it leaves it to others. */
export function healthPathOf(
  root: string,
  { method, path }: Pick<KoaContext, 'method' | 'path'>,
): HealthPath | undefined {
  return path.startsWith(root) ? askedOfHealth(method, path.slice(root.length) || '/') : undefined;
}

function isPath(value: unknown): boolean {
  return typeof value === 'string' && /^\/[^?#]*$/.test(value);
}
