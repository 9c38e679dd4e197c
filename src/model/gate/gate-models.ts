import { DECODERS, linkScorer, relationVectors } from "../decoders/decoders.ts";
import { calibrate, type Epoch } from "../epoch.ts";
import { meanInputs, meanRelations } from "../epoch-means.ts";
import { featureNeighbours } from "../features/epoch-features.ts";
import type { FeatureNeighbours } from "../features/node-features.ts";
import { RoleTotals } from "../features/training-features.ts";
import { NEIGHBOURS_MAX } from "../link-signal.ts";
import { linkClassOf } from "../relation-names.ts";
import { embedUnknown, type Neighbour, type RgcnParameters, type RgcnShape } from "../rgcn.ts";
import type { Tail } from "../tail.ts";
import type { TrainedModel } from "../training/trainer.ts";
import type { TrainingGraph } from "../training/training-graph.ts";
import type { TrainingInput } from "../training/training-input.ts";
import { startingPoint, UNKNOWN } from "../training/warm-start.ts";

/** The running epoch as the gate needs it: plain data, for a thread. Rows by the graph's entities and relations. */
export type RunningModel = {
  readonly number: number;
  readonly trainedAtMs: number;
  readonly shape: RgcnShape;
  readonly parameters: RgcnParameters;
  readonly hidden: Float32Array;
  readonly output: Float32Array;
  readonly calibration: Readonly<Record<string, Tail>>;
  /** Row in the epoch of each entity and of each relation of the graph, or -1. */
  readonly entityRows: Int32Array;
  readonly relationRows: Int32Array;
  /** By kind of the graph. */
  readonly meanInputs: readonly Float32Array[];
  /** By link class. */
  readonly meanRelations: ReadonlyMap<string, Float32Array>;
  readonly features: FeatureNeighbours | undefined;
};

export function runningModel(input: TrainingInput, epoch: Epoch): RunningModel {
  const { manifest } = epoch;
  const means = meanInputs(epoch);
  const { shape, parameters, entityRows, relationRows } = startingPoint(input, epoch);
  return {
    number: manifest.number,
    trainedAtMs: manifest.trainedAtMs,
    shape,
    parameters,
    hidden: epoch.hidden,
    output: epoch.output,
    calibration: manifest.calibration,
    entityRows,
    relationRows,
    meanInputs: input.graph.kindNames.map(
      (name) => means[manifest.kindNames.indexOf(name)] ?? new Float32Array(shape.dimensions),
    ),
    meanRelations: meanRelations(epoch),
    features: featureNeighbours(epoch),
  };
}

/** How a model answers for a link of the graph. */
export type Asked = {
  readonly calibration: Readonly<Record<string, Tail>>;
  logit(from: number, relation: number, to: number): number;
};

export function askCandidate(graph: TrainingGraph, model: TrainedModel): Asked {
  return { calibration: calibrate(model, graph), logit: linkScorer(model.shape, model) };
}

/** What it does not know is embedded as scoring does it, from the links that the candidate was trained on. */
export function askRunning(graph: TrainingGraph, trained: Int32Array, running: RunningModel): Asked {
  const { shape, parameters, entityRows, relationRows } = running;
  const { dimensions: d } = shape;
  const linksAt = new Map<number, number[]>();
  const note = (entity: number, link: number): void => {
    if (entityRows[entity] !== UNKNOWN) return;
    const links = linksAt.get(entity) ?? [];
    links.push(link);
    linksAt.set(entity, links);
  };
  for (const link of trained) {
    note(graph.linkFrom[link]!, link);
    note(graph.linkTo[link]!, link);
  }
  const neighbours = (entity: number): Neighbour[] => {
    const links = linksAt.get(entity) ?? [];
    if (links.length > NEIGHBOURS_MAX) return [];
    return links.flatMap((link) => {
      const isFrom = graph.linkFrom[link] === entity;
      const peer = entityRows[isFrom ? graph.linkTo[link]! : graph.linkFrom[link]!]!;
      const relation = relationRows[graph.linkRelation[link]!]!;
      if (peer === UNKNOWN || relation === UNKNOWN) return [];
      // Against the link to who it comes from, along it to who it leads to.
      return [{ message: (isFrom ? shape.relations : 0) + relation, row: peer }];
    });
  };
  const totals = running.features && new RoleTotals(graph, trained);
  const bins = (entity: number): Neighbour[] =>
    running.features?.of(
      graph.kindNames[graph.entityKind[entity]!]!,
      (role) => totals!.of(role, entity),
      graph.watermarkMs,
    ) ?? [];
  const embedded = new Map<number, Float32Array>();
  const embedding = (entity: number): Float32Array => {
    const row = entityRows[entity]!;
    if (row !== UNKNOWN) return running.output.subarray(row * d, (row + 1) * d);
    let found = embedded.get(entity);
    if (found === undefined) {
      const own = running.meanInputs[graph.entityKind[entity]!]!;
      const known = [...neighbours(entity), ...bins(entity)];
      found = embedUnknown(shape, parameters, running.hidden, own, known);
      embedded.set(entity, found);
    }
    return found;
  };
  const { score } = DECODERS[shape.decoder];
  const vectors = relationVectors(shape, parameters);
  const zero = new Float32Array(d);
  const vector = (relation: number): Float32Array => {
    const row = relationRows[relation]!;
    if (row !== UNKNOWN) return vectors.subarray(row * d, (row + 1) * d);
    return running.meanRelations.get(linkClassOf(graph.relationNames[relation]!)) ?? zero;
  };
  return {
    calibration: running.calibration,
    logit: (from, relation, to) => score(embedding(from), 0, vector(relation), 0, embedding(to), 0, d),
  };
}
