/**
 * The presence tier takes the lowest 1e-9 of the scores, so that no surprise, however large, ranks before it and no
 * threshold hides it. It is a rule, not a frequency: within the tier scores order by surprise, and a score there reads
 * "presence, and this odd besides".
 */
export const PRESENCE_SHARE = 1e-9;

/**
 * One score from two tiers: presence first, then surprise, without a jump and without saturation.
 *
 * @param isPresence whether the presence rule fired
 * @param probability tail probability of surprise in (0, 1]
 * @returns score in (0, 1]; below or at `PRESENCE_SHARE` for presence, above it for the rest
 */
export function tieredScore(isPresence: boolean, probability: number): number {
  return isPresence ? PRESENCE_SHARE * probability : PRESENCE_SHARE + (1 - PRESENCE_SHARE) * probability;
}
