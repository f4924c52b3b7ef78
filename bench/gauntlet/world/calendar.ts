/** Something that will happen, unless it is cancelled. */
export interface Appointment {
  readonly at: number;
  cancel(): void;
}

/** Time, virtual or real, as the world needs it. */
export interface Calendar {
  /** Monotonic ms. */
  readonly now: number;
  /** @param quiet promises need not settle after it: virtual time goes faster */
  at(time: number, run: () => void, quiet?: boolean): Appointment;
}
