import type { Shop } from './shop.ts';

/** What a framework's file gives: it serves the shop, and says where. */
type Serve = (shop: Shop, port: number) => Promise<string>;

/** The frameworks that the shop can be served by: for each a file beside this one, and a line. */
export const frameworks = {
  express: () => import('./express.ts'),
  fastify: () => import('./fastify.ts'),
  koa: () => import('./koa.ts'),
} satisfies Record<string, () => Promise<{ serve: Serve }>>;

export type Framework = keyof typeof frameworks;
