import type { Backend } from './backend.ts';
import type { Scenario } from './scenario.ts';
import { World } from './world.ts';

export interface Story {
  readonly violations: readonly string[];
  readonly trace: string;
  /** Virtual. */
  readonly ms: number;
}

/** One run: the scenario with what chance the seed brings. */
export async function play(backend: Backend, { play, ...options }: Scenario, seed: number): Promise<Story> {
  await backend.clear();
  const world = new World(backend, seed, options);
  const began = world.clock.now();
  try {
    await play(world);
  } catch (error) {
    world.violate(`the model failed: ${error instanceof Error ? error.stack : String(error)}`);
  }
  return { violations: world.violations, trace: world.trace, ms: world.clock.now() - began };
}
