import type { Config } from "../config/schema.ts";
import { Engine } from "../engine/engine.ts";
import type { Scored } from "../engine/scoring.ts";
import { WholeMerging } from "../engine/segment-merging.ts";
import type { TrainEpoch } from "../engine/training-schedule.ts";
import type { Facts } from "../graph-state/facts.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { Log } from "../log/port.ts";
import type { Time } from "../time.ts";
import { BASELINES } from "./baselines.ts";
import type { Labels } from "./labels.ts";
import { type Ranking, RankingAccumulator } from "./ranking.ts";

/** Incidents of an evaluation: one user from one source host within half an hour, whichever detector. */
const INCIDENT_MS = 30 * 60_000;
/** Local logins have no pair of hosts: for the baselines, which count pairs, nothing is less odd. */
const LEAST_ODD = Number.MAX_VALUE;

/** What one detector found at its own threshold, as an analyst would have got it. */
export type RaisedAlerts = {
  readonly alerts: number;
  /** Positives among them, and positives in all. */
  readonly truePositives: number;
  readonly positives: number;
  readonly days: number;
};

/** One seed's figures. */
export type Evaluation = Ranking & {
  readonly raised: RaisedAlerts;
  readonly baselines: Readonly<Record<string, Ranking>>;
};

/** What `evaluate --json` prints: the figures of the first seed, and the spread over all of them. */
export type EvaluationReport = Evaluation & {
  readonly detector: string;
  readonly seeds: readonly number[];
  readonly labels: { readonly lines: number; readonly distinct: number; readonly matched: number };
  readonly spread: unknown;
};

/**
 * Scores a labelled stream causally, each login before it is added, and ranks what came after `fromMs` against the
 * labels. Labels are looked at only after a login was scored.
 */
export async function evaluate(input: {
  readonly config: Config;
  readonly log: Log;
  readonly time: Time;
  readonly train: TrainEpoch;
  readonly labels: Labels;
  /** Start of the scored period, ms since the epoch; all before it is warm-up. */
  readonly fromMs: number | undefined;
  readonly onProgress?: (records: number) => void;
  /** Stops early when it fires: the figures are then of a part of the input, and of no use. */
  readonly signal: AbortSignal;
}): Promise<Evaluation> {
  const { labels, fromMs } = input;
  const period = fromMs === undefined ? {} : { startMs: fromMs };
  const own = new RankingAccumulator(period);
  const baselines = BASELINES.map((baseline) => ({ baseline, ranking: new RankingAccumulator(period) }));
  let alerts = 0;
  let truePositives = 0;
  let positives = 0;
  let firstMs = Number.POSITIVE_INFINITY;
  let lastMs = Number.NEGATIVE_INFINITY;

  const onScored = (bytes: LoginBytes, { score, decision }: Scored, facts: Facts): void => {
    const { isAlert } = decision!;
    if (fromMs !== undefined && bytes.timeMs < fromMs) return;
    const login = bytes.toLogin();
    const positive = labels.matches(login);
    const { timeMs } = login;
    firstMs = Math.min(firstMs, timeMs);
    lastMs = Math.max(lastMs, timeMs);
    const incident = JSON.stringify([login.user, login.sourceHost, Math.floor(timeMs / INCIDENT_MS)]);
    own.add({ score, positive, timeMs, incident });
    if (isAlert) alerts++;
    if (isAlert && positive) truePositives++;
    if (positive) positives++;
    const pair = {
      pairCount: facts.sourceTargetCount,
      sourceCount: facts.sourceCount,
      targetCount: facts.targetCount,
      sourceDegree: facts.sourceDegree,
      targetDegree: facts.targetDegree,
    };
    for (const { baseline, ranking } of baselines) {
      ranking.add({
        score: facts.isRemote ? -baseline.oddness(pair) : LEAST_ODD,
        positive,
        timeMs,
        incident,
      });
    }
  };

  const { config, log, time, train, onProgress, signal } = input;
  const engine = new Engine({
    config,
    log,
    time,
    merging: (state) => new WholeMerging(state),
    train,
    onScored,
    signal,
    ...(onProgress === undefined ? {} : { onProgress }),
  });
  await engine.run();
  const days = lastMs >= firstMs ? Math.max(1, Math.ceil((lastMs - firstMs + 1) / 86_400_000)) : 0;
  return {
    ...own.result(),
    raised: { alerts, truePositives, positives, days },
    baselines: Object.fromEntries(
      baselines.map(({ baseline, ranking }) => [baseline.name, ranking.result()]),
    ),
  };
}
