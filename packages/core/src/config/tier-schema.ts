import { z } from 'zod';
import { isTierName, rankOf, type TierName, tierLadder } from './tier-names.ts';

const tierName = () =>
  z.custom<TierName>(isTierName, { params: { names: tierLadder } }).describe('the name of a tier');

const LEAST = 'at least one of floor, ceiling, start';

/** Tiers that the controller may move a target between. */
export const tierRangeSchema = z
  .strictObject({
    floor: tierName().optional().describe('The lowest tier. Default: the lowest that there is.'),
    ceiling: tierName().optional().describe('The highest tier. Default: the highest that there is.'),
    start: tierName().optional().describe('The tier to begin in. Default: the floor.'),
    dwellMs: z.number().min(0).max(86_400_000).default(60_000).describe('The least time between two moves.'),
    calmMs: z
      .number()
      .min(1_000)
      .max(604_800_000)
      .default(600_000)
      .describe(
        'So long without trouble, and the target moves down by one. Doubles, up to eight times, if it has to come back up.',
      ),
    recurring: z
      .int()
      .min(1)
      .max(100)
      .default(3)
      .describe('So many incidents within `recurringMs`, and the target moves up by one.'),
    recurringMs: z
      .number()
      .min(1_000)
      .max(604_800_000)
      .default(300_000)
      .describe('The time that `recurring` incidents are counted over.'),
  })
  .superRefine(({ floor, ceiling, start }, context) => {
    const wrong = (path: string[], message: string) => context.addIssue({ code: 'custom', path, message });
    if (floor === undefined && ceiling === undefined && start === undefined) wrong([], LEAST);
    const [low, high] = [floor ?? tierLadder[0], ceiling ?? tierLadder.at(-1)] as [TierName, TierName];
    if (rankOf(low) > rankOf(high)) wrong(['ceiling'], `the floor (${low}) or a tier above it`);
    else if (start !== undefined && (rankOf(start) < rankOf(low) || rankOf(start) > rankOf(high))) {
      wrong(['start'], `a tier from ${low} to ${high}`);
    }
  });

export const tierSchema = z.union([tierName(), tierRangeSchema]);

export type TierRange = Readonly<z.output<typeof tierRangeSchema>>;

/** The tier to begin in. */
export function startOf(tier: TierName | TierRange): TierName {
  return typeof tier === 'string' ? tier : (tier.start ?? tier.floor ?? (tierLadder[0] as TierName));
}

/** `tier`, or the nearest within the range. */
export function withinRange(tier: TierName, { floor, ceiling }: TierRange): TierName {
  if (floor !== undefined && rankOf(tier) < rankOf(floor)) return floor;
  return ceiling !== undefined && rankOf(tier) > rankOf(ceiling) ? ceiling : tier;
}
