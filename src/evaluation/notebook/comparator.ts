import type { ScenarioRanking } from "../baseline-rankings.ts";
import { linkProbability, type Model } from "./training.ts";
import type { TrainingRows, TripleRows } from "./triples.ts";

/** What the notebook may take for the relation of a link; it was scored with `constant`. */
export const NOTEBOOK_RELATIONS = ["constant", "authType", "authType::logonType", "topic"] as const;
export type NotebookRelation = (typeof NOTEBOOK_RELATIONS)[number];

/** The notebook's threshold, picked by hand after the hits were seen. */
const THRESHOLD = 0.03;
/** Its sibling's: so many standard deviations below the mean. */
const DEVIATIONS = 2;

type Found = { readonly alerts: number; readonly truePositives: number };

/** One way of reporting the comparator. */
export type NotebookMode = {
  readonly trainingRows: number;
  readonly nodes: number;
  readonly relations: number;
  /** Of the last step. */
  readonly loss: number;
  /** Scored logins with a host or relation that training has not seen; they get the lowest score. */
  readonly unseen: number;
  /** Logins that score below .03, and below the mean less two standard deviations. */
  readonly below003: Found;
  readonly belowTwoDeviations: Found;
};

export type NotebookFigures = {
  /** Trained on what came before the scored period: the figures beside which everything else stands. */
  readonly causal: NotebookMode;
  /** As the notebook did it: trained on all rows, those it scores among them. Not comparable with anything causal. */
  readonly seedMode: NotebookMode & { readonly ranking: ScenarioRanking };
};

/** Scores rows by a model; what it has not seen scores 0, the lowest. */
export function scoreRows(
  all: TripleRows,
  training: TrainingRows,
  model: Model,
): { readonly scoreOf: (row: number) => number; readonly isUnseen: (row: number) => boolean } {
  // One score a triple: all logins of a link are equal to this model.
  const scores = Float64Array.from(all.sources, (_, triple) => {
    const source = training.nodeOf[all.sources[triple]!]!;
    const target = training.nodeOf[all.targets[triple]!]!;
    const relation = training.relationOf[all.relations[triple]!]!;
    if (source === -1 || target === -1 || relation === -1) return Number.NaN;
    return linkProbability(model, source, relation, target);
  });
  return {
    scoreOf: (row) => scores[all.tripleOf(row)]! || 0,
    isUnseen: (row) => Number.isNaN(scores[all.tripleOf(row)]!),
  };
}

export function notebookMode(
  training: TrainingRows,
  model: Model,
  scores: Float64Array,
  isPositive: (i: number) => boolean,
  unseen: number,
): NotebookMode {
  const mean = scores.reduce((sum, score) => sum + score, 0) / Math.max(1, scores.length);
  const variance = scores.reduce((sum, score) => sum + (score - mean) ** 2, 0) / Math.max(1, scores.length);
  const foundBelow = (threshold: number): Found => {
    let alerts = 0;
    let truePositives = 0;
    for (const [i, score] of scores.entries()) {
      if (score >= threshold) continue;
      alerts++;
      if (isPositive(i)) truePositives++;
    }
    return { alerts, truePositives };
  };
  return {
    trainingRows: training.rows.length,
    nodes: training.nodeCount,
    relations: training.relationCount,
    loss: model.loss,
    unseen,
    below003: foundBelow(THRESHOLD),
    belowTwoDeviations: foundBelow(mean - DEVIATIONS * Math.sqrt(variance)),
  };
}
