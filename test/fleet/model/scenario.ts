import type { World, WorldOptions } from './world.ts';

/** A fault, or several, with what has to hold during and after it. */
export interface Scenario extends WorldOptions {
  readonly name: string;
  readonly play: (world: World) => Promise<void>;
}

export function scenario(name: string, options: WorldOptions, play: Scenario['play']): Scenario {
  return { name, ...options, play };
}
