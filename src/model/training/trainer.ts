import { availableParallelism } from "node:os";
import { OddlinkError } from "../../errors.ts";
import type { MessageGraph, TrainingBackend, TrainingBatch } from "../backends/backend.ts";
import { loadBackend } from "../backends/backends.ts";
import { isReadable, linkScorer } from "../decoders/decoders.ts";
import { Random } from "../random.ts";
import { initialParameters, type RgcnParameters, type RgcnShape } from "../rgcn.ts";
import { FAKE_KINDS, type FakeKind, FakeSampler } from "./fake-sampler.ts";
import { linkWeights } from "./link-weights.ts";
import type { TrainingGraph } from "./training-graph.ts";
import { assertFits, availableBytes, trainingBytes } from "./training-memory.ts";
import { ODD_DIMENSIONS, THREADS_MAX, type TrainingOptions } from "./training-options.ts";
import type { Measured, TrainingState } from "./training-state.ts";
import { isContinuable, type StartingPoint, warmParameters } from "./warm-start.ts";

const HELD_OUT_LINKS_MAX = 2000;
/** The held-out links are measured every so many steps; training stops when they got no better for this many. */
const MEASURE_EVERY_STEPS = 5;
const PATIENCE_STEPS = 40;
const CLIP_NORM = 1;
/** An optimiser that begins anew moves every number by its whole rate at first: too much for what is trained already. */
const WARM_RATE_SHARE = 0.5;
/**
 * A step asks for one part of the links while messages pass over the others: a link that carries messages gives itself
 * away, and the model would learn to recognise it instead of to predict it.
 */
const FOLDS = 5;

export type TrainingProgress = { readonly step: number; readonly steps: number; readonly loss: number };

/** What training gives: arrays are entities x dimensions, rows as in the training graph. */
export type TrainedModel = {
  readonly backend: string;
  readonly shape: RgcnShape;
  readonly parameters: RgcnParameters;
  readonly hidden: Float32Array;
  readonly output: Float32Array;
  /** Whether it went on from an earlier epoch. */
  readonly isWarm: boolean;
  readonly losses: readonly number[];
  readonly heldOut: {
    readonly links: number;
    /** Loss on the held-out links before the first step and of the kept parameters; null without held-out links. */
    readonly lossBefore: number | null;
    readonly lossAfter: number | null;
    /** How often a held-out link scores above a fake of it, of the kinds that training has in their shares. */
    readonly auc: number | null;
    /** The same against fakes of one kind, where there are any. */
    readonly aucByFake: Readonly<Partial<Record<FakeKind, number>>>;
  };
};

export type TrainingHooks = {
  readonly onProgress?: ((progress: TrainingProgress) => void) | undefined;
  /** An earlier epoch to go on from, with an optimiser that begins anew; not used if its shape does not fit. */
  readonly start?: StartingPoint | undefined;
  /** The same training as it was interrupted: it goes on there, and comes to the same end. */
  readonly interrupted?: TrainingState | undefined;
  /** Called where it may be noted how far the training has come; the state is a copy. */
  readonly onMeasured?: ((state: () => TrainingState) => void) | undefined;
  /** Memory that it may take. */
  readonly bytesMax?: number;
};

/**
 * Trains an RGCN to tell the window's links from fakes. Deterministic for a seed.
 *
 * @throws {OddlinkError} TRAINING_FAILED if there is nothing to train on, or too much for the memory, the back end can't be had, or the loss is no number any
 *   more
 */
export async function train(
  graph: TrainingGraph,
  options: TrainingOptions,
  hooks: TrainingHooks = {},
): Promise<TrainedModel> {
  const { start, bytesMax = availableBytes() } = hooks;
  const linkCount = graph.linkFrom.length;
  if (graph.entityCount < 2 || linkCount < 2) {
    throw new OddlinkError(
      "TRAINING_FAILED",
      `${linkCount} links of ${graph.entityCount} entities are too few to train on`,
    );
  }
  const shape: RgcnShape = {
    entities: graph.entityCount,
    relations: graph.relationNames.length,
    dimensions: options.dimensions,
    weights: options.weights,
    bases: options.weights === "basis" ? options.bases : 0,
    decoder: options.decoder,
  };
  if (!isReadable(shape.decoder, shape.dimensions)) throw new OddlinkError("TRAINING_FAILED", ODD_DIMENSIONS);
  const messages = linkCount + (graph.features?.from.length ?? 0);
  assertFits(trainingBytes(shape, messages, 1 + FOLDS, options.backend), shape, linkCount, bytesMax);
  const trained = trainedLinks(graph, options.heldOutShare);
  const isTrained = new Set(trained);
  const measured = Int32Array.from({ length: linkCount }, (_, link) => link).filter(
    (link) => !isTrained.has(link),
  );
  const folds = foldsOf(trained, options.seed);
  const without = (fold: Int32Array): Int32Array => {
    const members = new Set(fold);
    return trained.filter((link) => !members.has(link));
  };
  const isWarm = start !== undefined && isContinuable(start.shape, shape);
  const createBackend = await loadBackend(options.backend, options.device);
  const backend = createBackend(
    shape,
    isWarm
      ? warmParameters(start, graph, trained, shape, options.seed)
      : initialParameters(shape, options.seed),
    [trained, ...folds.map(without)].map((links) => messageGraph(graph, links)),
    {
      learningRate: options.learningRate * (isWarm ? WARM_RATE_SHARE : 1),
      l2: options.l2,
      clipNorm: CLIP_NORM,
      dropout: { rate: options.dropout, seed: options.seed },
      batchLinksMax: 2 * Math.max(...folds.map(({ length }) => length)),
      threads: options.threads ?? Math.max(1, Math.min(THREADS_MAX, availableParallelism() - 1)),
    },
  );
  try {
    const sampler = new FakeSampler(graph, trained, trained, options.seed, "fakes");
    const all = Int32Array.from({ length: linkCount }, (_, link) => link);
    const judge = new FakeSampler(graph, trained, all, options.seed, "fakes of held-out links");
    const weights = linkWeights(graph, options.halfLifeDays);
    const batches = folds.map((fold) => newBatch(graph, fold, weights));
    const check = newBatch(graph, measured, weights);
    judge.fill(check, measured.length, options.negatives);
    const optimised = optimise(backend, shape, sampler, batches, check, isWarm, options, hooks);
    const aucByFake = aucByKind(judge, check, optimised, shape);
    return {
      backend: backend.name,
      shape,
      isWarm,
      ...optimised,
      heldOut: { ...optimised.heldOut, aucByFake },
    };
  } finally {
    backend.close();
  }
}

/** Steps over the batches in turn, each with fakes of its own, for as long as the links of `check` get better. */
function optimise(
  backend: TrainingBackend,
  shape: RgcnShape,
  sampler: FakeSampler,
  batches: readonly TrainingBatch[],
  check: TrainingBatch,
  isWarm: boolean,
  options: TrainingOptions,
  { onProgress, interrupted, onMeasured }: TrainingHooks,
): Omit<TrainedModel, "backend" | "shape" | "isWarm" | "heldOut"> & {
  readonly heldOut: Omit<TrainedModel["heldOut"], "aucByFake">;
} {
  const steps = isWarm ? options.warmSteps : options.steps;
  const links = check.from.length / 2;
  // A link of which no fake can be had says nothing.
  const isMeasured = check.weight.subarray(links).some((weight) => weight > 0);
  const losses: number[] = [...(interrupted?.losses ?? [])];
  const measure = (step: number) => {
    const model = { parameters: backend.parameters(), ...backend.forward() };
    // Without held-out links the last one is the best.
    return { step, ...model, ...(isMeasured ? measureOn(check, model, shape) : { loss: -step, auc: 0 }) };
  };
  const started = interrupted === undefined ? measure(0) : undefined;
  const before: Measured = interrupted?.before ?? {
    step: 0,
    loss: started!.loss,
    auc: started!.auc,
  };
  // A start from an earlier epoch is a result too, and stays it until there is a better one.
  let best = interrupted?.best ?? {
    ...started!,
    loss: isMeasured && !isWarm ? Number.POSITIVE_INFINITY : before.loss,
  };
  if (interrupted !== undefined) backend.resume(interrupted.optimiser);
  for (let step = 1; step <= steps; step++) {
    const fold = step % batches.length;
    const batch = batches[fold]!;
    // Those of the steps that were done before an interruption too, so that the next ones draw what they would have drawn.
    sampler.fill(batch, batch.from.length / 2, options.negatives);
    if (step <= (interrupted?.step ?? 0)) continue;
    const loss = backend.step(batch, fold + 1);
    if (!Number.isFinite(loss)) {
      throw new OddlinkError(
        "TRAINING_FAILED",
        `the loss is ${loss} at step ${step}; a smaller learning rate may help`,
      );
    }
    losses.push(loss);
    onProgress?.({ step, steps, loss });
    if (step % MEASURE_EVERY_STEPS !== 0 && step !== steps) continue;
    const now = measure(step);
    if (now.loss < best.loss) best = now;
    else if (step - best.step >= PATIENCE_STEPS) break;
    onMeasured?.(() => ({
      step,
      losses: [...losses],
      before,
      best,
      backend: backend.name,
      optimiser: backend.state(),
    }));
  }
  const { parameters, hidden, output } = best;
  return {
    parameters,
    hidden,
    output,
    losses,
    heldOut: {
      links,
      lossBefore: isMeasured ? before.loss : null,
      lossAfter: isMeasured ? best.loss : null,
      auc: isMeasured ? best.auc : null,
    },
  };
}

function aucByKind(
  judge: FakeSampler,
  check: TrainingBatch,
  model: Pick<TrainedModel, "output" | "parameters">,
  shape: RgcnShape,
): Partial<Record<FakeKind, number>> {
  return Object.fromEntries(
    FAKE_KINDS.flatMap((kind) => {
      judge.fillWith(check, check.from.length / 2, kind);
      const { auc } = measureOn(check, model, shape);
      return Number.isNaN(auc) ? [] : [[kind, auc]];
    }),
  );
}

/** The links in `FOLDS` random parts, or fewer if there are fewer links. */
function foldsOf(links: Int32Array, seed: number): Int32Array[] {
  const random = new Random(seed, "folds");
  const shuffled = Int32Array.from(links);
  for (let i = shuffled.length - 1; i > 0; i--) {
    const j = random.nextInt(i + 1);
    [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
  }
  const count = Math.min(FOLDS, shuffled.length);
  return Array.from({ length: count }, (_, fold) => shuffled.filter((_link, i) => i % count === fold).sort());
}

/** Messages pass over the given links, and from features to whom they are of. */
function messageGraph(graph: TrainingGraph, links: Int32Array): MessageGraph {
  const { features } = graph;
  const joined = (ofLinks: Int32Array, ofFeatures: Int32Array | undefined): Int32Array => {
    const all = new Int32Array(links.length + (features?.from.length ?? 0));
    all.set(links.map((link) => ofLinks[link]!));
    if (ofFeatures !== undefined) all.set(ofFeatures, links.length);
    return all;
  };
  return {
    from: joined(graph.linkFrom, features?.from),
    relation: joined(
      graph.linkRelation,
      features?.from.map(() => features.relation),
    ),
    to: joined(graph.linkTo, features?.to),
  };
}

/** Links that are trained on, ascending: all but those held out. */
export function trainedLinks(graph: TrainingGraph, heldOutShare: number): Int32Array {
  const heldOut = heldOutLinks(graph, heldOutShare);
  return Int32Array.from(heldOut.keys()).filter((link) => heldOut[link] === 0);
}

/** Flags of the links that are not trained on, those first seen last; ties go by position, which is canonical. */
export function heldOutLinks(graph: TrainingGraph, share: number): Uint8Array {
  const count = Math.min(HELD_OUT_LINKS_MAX, Math.floor(graph.linkFrom.length * share));
  const flags = new Uint8Array(graph.linkFrom.length);
  const order = Array.from(flags.keys()).sort(
    (a, b) => graph.linkFirstMs[b]! - graph.linkFirstMs[a]! || a - b,
  );
  for (const link of order.slice(0, count)) flags[link] = 1;
  return flags;
}

/** Room for the given links and one fake each. */
function newBatch(graph: TrainingGraph, links: Int32Array, weights: Float64Array): TrainingBatch {
  const n = links.length;
  const batch = {
    from: new Int32Array(2 * n),
    relation: new Int32Array(2 * n),
    to: new Int32Array(2 * n),
    label: new Float32Array(2 * n).fill(1, 0, n),
    weight: new Float32Array(2 * n),
  };
  const mean = links.reduce((sum, link) => sum + weights[link]!, 0) / n;
  for (const [i, link] of links.entries()) {
    batch.from[i] = graph.linkFrom[link]!;
    batch.relation[i] = batch.relation[n + i] = graph.linkRelation[link]!;
    batch.to[i] = graph.linkTo[link]!;
    batch.weight[i] = batch.weight[n + i] = weights[link]! / mean;
  }
  return batch;
}

/** Loss of links and their fakes, and share of links that score above their own fake (half for a tie); NaN without a fake. */
function measureOn(
  batch: TrainingBatch,
  model: Pick<TrainedModel, "output" | "parameters">,
  shape: RgcnShape,
) {
  const n = batch.from.length / 2;
  const score = linkScorer(shape, model);
  const logitOf = (i: number): number => score(batch.from[i]!, batch.relation[i]!, batch.to[i]!);
  let loss = 0;
  let wins = 0;
  let pairs = 0;
  for (let i = 0; i < n; i++) {
    if (batch.weight[n + i] === 0) continue;
    const real = logitOf(i);
    const fake = logitOf(n + i);
    pairs++;
    loss += softplus(-real) + softplus(fake);
    wins += real > fake ? 1 : real === fake ? 0.5 : 0;
  }
  return { loss: loss / (2 * pairs), auc: wins / pairs };
}

function softplus(x: number): number {
  return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
}
