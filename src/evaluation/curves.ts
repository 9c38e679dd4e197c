import { ranksInDay } from "./day-ranks.ts";
import type { TimedScores } from "./timed-scores.ts";

/** A curve is drawn some hundred pixels wide: more points than this can't be told apart. */
const POINTS_MAX = 400;
/** Alerts a day that recall is drawn over, evenly on a logarithmic axis. */
const PER_DAY = [1, 2, 3, 4, 5, 7, 10, 15, 20, 30, 50, 70, 100, 150, 200, 300, 500, 700, 1000] as const;

export type Curves = {
  /** Precision at the rank of a positive, over the share of positives found by then; recall ascends. */
  readonly precisionRecall: readonly { readonly recall: number; readonly precision: number }[];
  /** Share of the positives among the N oddest of each day. */
  readonly recallPerDay: readonly { readonly alertsPerDay: number; readonly recall: number }[];
};

/** Ties count against the detector, as they do in the figures. Undefined without positives. */
export function curvesOf(
  negatives: TimedScores,
  positives: TimedScores,
  startMs: number,
): Curves | undefined {
  if (positives.length === 0) return undefined;
  const low = negatives.score.toArray().sort();
  const hits = positives.score.toArray().sort();
  const every = Math.ceil(hits.length / POINTS_MAX);
  const precisionRecall: { recall: number; precision: number }[] = [];
  let before = 0;
  for (let i = 0; i < hits.length; i++) {
    while (before < low.length && low[before]! <= hits[i]!) before++;
    if ((i + 1) % every !== 0 && i + 1 !== hits.length) continue;
    precisionRecall.push({ recall: (i + 1) / hits.length, precision: (i + 1) / (before + i + 1) });
  }
  const ranks = ranksInDay(negatives, positives, startMs);
  return {
    precisionRecall,
    recallPerDay: PER_DAY.map((alertsPerDay) => ({
      alertsPerDay,
      recall: ranks.filter((rank) => rank <= alertsPerDay).length / ranks.length,
    })),
  };
}
