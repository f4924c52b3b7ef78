/** How much of a service healing covers, and where its picture of the service was wrong. */
export interface CoverageReport {
  /** Requests that no named target took, by what they were booked under. */
  readonly uncovered: readonly string[];
  /** Requests whose route turned out to be another than the predicted one. */
  readonly namesCorrected: number;
  /** Requests that passed through more than one mount of healing. */
  readonly doubleMounts: number;
  /** Permits that were dropped without a release, of those that are watched (one a tick). */
  readonly permitsLeaked: number;
  /** Releases of a permit that had been released before. */
  readonly lateReleases: number;
}

const MOST_UNCOVERED = 100;

export class Coverage {
  namesCorrected = 0;
  doubleMounts = 0;
  permitsLeaked = 0;
  readonly #uncovered = new Set<string>();

  noteUncovered(name: string): void {
    if (this.#uncovered.size < MOST_UNCOVERED) this.#uncovered.add(name);
  }

  report(lateReleases: number): CoverageReport {
    const { namesCorrected, doubleMounts, permitsLeaked } = this;
    return { uncovered: [...this.#uncovered], namesCorrected, doubleMounts, permitsLeaked, lateReleases };
  }
}
