import type { Config } from "../../config/schema.ts";
import { OddlinkError } from "../../errors.ts";
import {
  AUTH_TYPE,
  LOGON_TYPE,
  type LoginBytes,
  SOURCE_HOST,
  TARGET_HOST,
} from "../../ingest/login-bytes.ts";
import { fitTopics, Topics } from "../../model/topics/topic-model.ts";
import { BaselineRankings, scenarioRanking } from "../baseline-rankings.ts";
import type { Evaluated } from "../evaluation.ts";
import { RankingAccumulator } from "../ranking.ts";
import { ScoreHistogram } from "../score-histogram.ts";
import { type StreamInput, streamLogins } from "../stream.ts";
import { NumberColumn } from "../timed-scores.ts";
import { type NotebookMode, type NotebookRelation, notebookMode, scoreRows } from "./comparator.ts";
import { NOTEBOOK, type NotebookOptions, trainNotebook } from "./training.ts";
import { type TrainingRows, TripleRows, trainingRows } from "./triples.ts";

const DAY_MS = 86_400_000;
/** The notebook's number of topics. */
const TOPICS = 15;

/** A login of the scored period, as it is ranked once all are there. */
type Row = {
  /** Its place among all rows. */
  readonly row: number;
  readonly positive: boolean;
  readonly timeMs: number;
  readonly incident: string;
  readonly scenario: string | undefined;
};

/**
 * Evaluates the notebook's model on a labelled stream, two ways: trained on all that came before the scored period, and,
 * as the notebook did, on all rows there are. The logins that are ranked are those of the scored period either way.
 *
 * Not a detector: it needs all logins before it can score one, so only an evaluation can ask it. It sees what the engine
 * scores, logins with both hosts, self logins among them; one without a source host gets the highest score.
 *
 * @throws {OddlinkError} USAGE if no scored period was named, or nothing came before it
 */
export async function evaluateNotebook(
  input: StreamInput & {
    readonly relation: NotebookRelation;
    /** The notebook's own where it is left out, as it must be for figures to be quoted. */
    readonly model?: NotebookOptions;
    readonly onStep?: (mode: "causal" | "seed mode", step: number, steps: number) => void;
  },
): Promise<Evaluated> {
  const { fromMs, config } = input;
  if (fromMs === undefined) {
    throw new OddlinkError(
      "USAGE",
      "--detector notebook trains on what comes before the scored period: say with --from where that starts",
    );
  }
  const baselines = new BaselineRankings({ startMs: fromMs });
  let triples = new TripleRows();
  const timesMs = new NumberColumn();
  const scored: Row[] = [];
  const unlinked: Row[] = [];
  await streamLogins({ ...input, config: withoutModel(config) }, (streamed) => {
    const { login, label, incident, isInPeriod } = streamed;
    const { timeMs } = login;
    const hasLink = !login.isAbsent(SOURCE_HOST) && !login.isAbsent(TARGET_HOST);
    if (isInPeriod) {
      const row = {
        row: triples.length,
        positive: label !== undefined,
        timeMs,
        incident,
        scenario: label?.scenario,
      };
      baselines.add(streamed, row);
      (hasLink ? scored : unlinked).push(row);
    }
    if (!hasLink) return;
    triples.add(login.text(SOURCE_HOST), relationOf(login, input.relation), login.text(TARGET_HOST));
    timesMs.push(timeMs);
  });
  if (input.signal.aborted) throw new OddlinkError("STOPPED", "stopped before the end of the input");

  const isBefore = (row: number): boolean => timesMs.get(row) < fromMs;
  if (input.relation === "topic") triples = inTopics(triples, isBefore, config.seed);
  const run = async (mode: "causal" | "seed mode", training: TrainingRows) => {
    const model = await trainNotebook(training, config.seed, input.model ?? NOTEBOOK, async (step, steps) => {
      input.onStep?.(mode, step, steps);
      await input.time.sleep(0);
      if (input.signal.aborted)
        throw new OddlinkError("STOPPED", "stopped while the comparator was training");
    });
    return rank(triples, training, model, scored, unlinked, fromMs);
  };
  const before = trainingRows(triples, isBefore);
  if (before.rows.length === 0) {
    throw new OddlinkError(
      "USAGE",
      "no login with two hosts comes before --from: nothing to train the notebook on",
    );
  }
  const causal = await run("causal", before);
  const seedMode = await run(
    "seed mode",
    trainingRows(triples, () => true),
  );

  const { alerts, truePositives } = causal.mode.below003;
  const lastMs = [...scored, ...unlinked].reduce((last, { timeMs }) => Math.max(last, timeMs), fromMs);
  const ranking = scenarioRanking(causal.ranking);
  return {
    figures: {
      ...ranking,
      raised: {
        alerts,
        truePositives,
        positives: ranking.positives,
        days: ranking.scored === 0 ? 0 : Math.floor((lastMs - fromMs) / DAY_MS) + 1,
      },
      baselines: baselines.results(),
      notebook: {
        causal: causal.mode,
        seedMode: { ...seedMode.mode, ranking: scenarioRanking(seedMode.ranking) },
      },
    },
    drawing: {
      own: causal.ranking.curves(),
      baselines: { ...baselines.curves(), "notebook, seed mode": seedMode.ranking.curves() },
      scores: causal.histogram.bins(),
      alertsByDay: [],
    },
  };
}

function rank(
  triples: TripleRows,
  training: TrainingRows,
  model: Awaited<ReturnType<typeof trainNotebook>>,
  scored: readonly Row[],
  unlinked: readonly Row[],
  startMs: number,
): { ranking: RankingAccumulator; histogram: ScoreHistogram; mode: NotebookMode } {
  const ranking = new RankingAccumulator({ startMs });
  const histogram = new ScoreHistogram();
  const { scoreOf, isUnseen } = scoreRows(triples, training, model);
  const scores = Float64Array.from(scored, ({ row }) => scoreOf(row));
  let unseen = 0;
  for (const [i, row] of scored.entries()) {
    ranking.add({ ...row, score: scores[i]! });
    histogram.add(scores[i]!, row.positive);
    if (isUnseen(row.row)) unseen++;
  }
  for (const row of unlinked) {
    ranking.add({ ...row, score: 1 });
    histogram.add(1, row.positive);
  }
  const mode = notebookMode(training, model, scores, (i) => scored[i]!.positive, unseen);
  return { ranking, histogram, mode };
}

/** The engine is asked for the facts that the baselines need, and for nothing that has to be trained. */
function withoutModel(config: Config): Config {
  return { ...config, detector: "default", training: { ...config.training, mode: "off" } };
}

function relationOf(login: LoginBytes, relation: NotebookRelation): string {
  if (relation === "constant") return "";
  const authType = login.text(AUTH_TYPE);
  return relation === "authType" ? authType : `${authType}::${login.text(LOGON_TYPE)}`;
}

/** As the notebook's relation of topics: types are grouped by how they are spelt, as those before the scored period are. */
function inTopics(triples: TripleRows, isBefore: (row: number) => boolean, seed: number): TripleRows {
  const types = triples.relationNames(isBefore);
  if (types.length === 0) return triples;
  const topics = new Topics(fitTopics(types, Math.min(TOPICS, types.length), seed));
  return triples.withRelations((type) => topics.of(type) ?? "");
}
