import type { TrainingGraph } from "./training-graph.ts";

const MS_PER_DAY = 86_400_000;
/** However old a link is, it is not forgotten before it leaves the window. */
const RECENCY_MIN = 2 ** -10;

/**
 * How much each link counts in training: ln(1 + logins), halved for each `halfLifeDays` that the newest login is later than the link's
 * last.
 *
 * @param halfLifeDays 0: age does not matter
 */
export function linkWeights(
  { linkCount, linkLastMs, watermarkMs }: TrainingGraph,
  halfLifeDays: number,
): Float64Array {
  return linkCount.map((count, link) => {
    const ageDays = Math.max(0, watermarkMs - linkLastMs[link]!) / MS_PER_DAY;
    const recency = halfLifeDays === 0 ? 1 : Math.max(RECENCY_MIN, 2 ** (-ageDays / halfLifeDays));
    return Math.log1p(count) * recency;
  });
}
