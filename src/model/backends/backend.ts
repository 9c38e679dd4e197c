import type { RgcnParameters, RgcnShape } from "../rgcn.ts";
import type { Dropout } from "../training/dropout.ts";

/** Directed links over which messages pass: each distinct (from, relation, to) of the training graph. */
export type MessageGraph = {
  readonly from: Int32Array;
  readonly relation: Int32Array;
  readonly to: Int32Array;
};

/** Labelled links of one step: true ones and fakes. */
export type TrainingBatch = {
  readonly from: Int32Array;
  readonly relation: Int32Array;
  readonly to: Int32Array;
  /** 1 for a true link, 0 for a fake. */
  readonly label: Float32Array;
  /** Weights of the mean; they sum to the number of links. */
  readonly weight: Float32Array;
};

export type OptimiserOptions = {
  readonly learningRate: number;
  /** Weight of mean(z^2) + mean(decoder^2), the latter not of phases. */
  readonly l2: number;
  /** Longest gradient, over all parameters together. */
  readonly clipNorm: number;
  /** Of the outputs of both layers, in steps alone. */
  readonly dropout: Dropout;
};

/**
 * Where the arithmetic of training happens. All back ends compute the same model (`RgcnShape`), loss and optimiser (Adam),
 * and give the same losses to 1e-4 from the same start.
 */
export type TrainingBackend = {
  readonly name: string;
  /** One forward and backward pass over message graph `graph` and one Adam step; returns the loss before the step. */
  step(batch: TrainingBatch, graph: number): number;
  /** Hidden activations and output embeddings over message graph 0, entities x dimensions each. */
  forward(): { readonly hidden: Float32Array; readonly output: Float32Array };
  /** The parameters as they are now: a copy. */
  parameters(): RgcnParameters;
  /** All that further steps depend on, to the last bit: for `resume` of the same back end and shape. */
  state(): Uint8Array;
  /** Goes on where `state` was called. */
  resume(state: Uint8Array): void;
  /** Gives threads and memory back. */
  close(): void;
};

export type BackendOptions = OptimiserOptions & {
  /** Links of the largest batch. */
  readonly batchLinksMax: number;
  /** How many threads may share a step; a back end that can't share it uses one. */
  readonly threads: number;
};

/**
 * @param graphs message graphs to choose from; the first is the whole one
 * @throws {OddlinkError} TRAINING_FAILED if it can't work on this machine, or not with so much
 */
export type CreateBackend = (
  shape: RgcnShape,
  start: RgcnParameters,
  graphs: readonly MessageGraph[],
  options: BackendOptions,
) => TrainingBackend;
