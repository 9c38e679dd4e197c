import type { TimedScores } from "./timed-scores.ts";

const DAY_MS = 86_400_000;

/**
 * Rank of each positive among all logins of its day, 1 being the oddest: it is among the N oddest of its day if its rank is
 * at most N. Among equal scores the negatives come first. Days are 24 hours from `startMs`.
 *
 * Negatives are counted, not sorted: each is looked up once among the positives of its day.
 */
export function ranksInDay(negatives: TimedScores, positives: TimedScores, startMs: number): Float64Array {
  const dayOf = (sample: TimedScores, i: number) => Math.floor((sample.timeMs.get(i) - startMs) / DAY_MS);
  const byDay = Map.groupBy(
    Array.from({ length: positives.length }, (_, i) => i),
    (i) => dayOf(positives, i),
  );
  const days = new Map<number, { positives: number[]; scores: Float64Array; before: Float64Array }>();
  for (const [day, indexes] of byDay) {
    indexes.sort((a, b) => positives.score.get(a) - positives.score.get(b));
    const scores = Float64Array.from(indexes, (i) => positives.score.get(i));
    days.set(day, { positives: indexes, scores, before: new Float64Array(indexes.length) });
  }
  for (let i = 0; i < negatives.length; i++) {
    const day = days.get(dayOf(negatives, i));
    if (day === undefined) continue;
    const at = firstNotBelow(day.scores, negatives.score.get(i));
    if (at < day.before.length) day.before[at]!++;
  }
  const ranks = new Float64Array(positives.length);
  for (const day of days.values()) {
    let before = 0;
    for (const [j, i] of day.positives.entries()) {
      before += day.before[j]!;
      ranks[i] = before + j + 1;
    }
  }
  return ranks;
}

/** Position of the first of ascending scores that is not below `score`; their number if all are. */
function firstNotBelow(scores: Float64Array, score: number): number {
  let low = 0;
  let high = scores.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (scores[middle]! < score) low = middle + 1;
    else high = middle;
  }
  return low;
}
