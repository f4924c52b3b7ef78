/** Tiers that come with healix, or will: nobody else may take their names. */
export const OWN_TIERS = ['basic', 'advanced', 'full'] as const;

/** The name of a tier: one of healix's own, or one that was given to `registerTier`. */
export type TierName = 'basic' | (string & Record<never, never>);

const ladder: TierName[] = ['basic'];

/** The tiers that there are, from the least to the most healing. */
export const tierLadder: readonly TierName[] = ladder;

export function isTierName(name: unknown): name is TierName {
  return ladder.includes(name as TierName);
}

/** Adds a tier right above another. */
export function addToLadder(name: TierName, above: TierName): void {
  ladder.splice(ladder.indexOf(above) + 1, 0, name);
}

/** How high a tier stands; -1 for one that there is not. */
export function rankOf(name: TierName): number {
  return ladder.indexOf(name);
}

/** The tier that stands so many steps above another (below, where negative), or undefined past either end. */
export function tierBeside(name: TierName, steps: 1 | -1): TierName | undefined {
  return ladder[rankOf(name) + steps];
}

/** The highest of healix's own tiers that there is, up to `wanted`. */
export function highestUpTo(wanted: (typeof OWN_TIERS)[number]): TierName {
  return OWN_TIERS.slice(0, OWN_TIERS.indexOf(wanted) + 1).findLast(isTierName) ?? 'basic';
}
