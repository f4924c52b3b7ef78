import type { Lab } from './lab.ts';
import type { Feature } from './subject.ts';

/** One thing that every adapter promises. */
export interface Case {
  readonly title: string;
  /** What the framework must be able to do for the case to make sense. */
  readonly needs?: readonly Feature[];
  run(lab: Lab): Promise<void>;
}
