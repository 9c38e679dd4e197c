import { adamRate, BETA1, BETA2, EPSILON } from "../../model/backends/adam.ts";
import { Random } from "../../model/random.ts";
import { distMult, sigmoid } from "./decoders.ts";
import { encode, encodeBackward, type Masks } from "./encoder.ts";
import { type Messages, messagesOf } from "./messages.ts";
import { emptyParameters, initialParameters, type Parameters, type Shape } from "./parameters.ts";
import type { TrainingRows } from "./triples.ts";

/** The notebook's own constants: nothing here is chosen by oddlink, or may be. */
export const NOTEBOOK = {
  dimensions: 32,
  /** Positives of a step, drawn with replacement, each with one negative. */
  positives: 15_000,
  epochs: 20,
  stepsPerEpoch: 32,
  learningRate: 0.004,
  gradientNormMax: 1,
  dropout: 0.2,
  regularisation: 0.01,
} as const;

export type NotebookOptions = { readonly [K in keyof typeof NOTEBOOK]: number };

export type Model = {
  readonly shape: Shape;
  /** N x d: embeddings of the whole training graph, without dropout. */
  readonly output: Float32Array;
  /** R x d. */
  readonly decoder: Float32Array;
  /** Of the last step, dropout included. */
  readonly loss: number;
};

/** The edges that a step asks about, true ones first: 2m of them, which carry its messages too. */
export type Sampled = {
  readonly sources: Int32Array;
  readonly relations: Int32Array;
  readonly targets: Int32Array;
};

/**
 * Trains the notebook's model: its sampling, its loss, its rates, its mistakes.
 *
 * The very edges that are asked about carry the messages, fakes among them, and a fake may be a true link. That is how it
 * was; a comparator does not mend what it is compared with.
 *
 * @param breathe awaited after each step, so that a process can be stopped
 */
export async function trainNotebook(
  rows: TrainingRows,
  seed: number,
  options: NotebookOptions,
  breathe: (step: number, steps: number) => Promise<void>,
): Promise<Model> {
  const { dimensions, epochs, stepsPerEpoch } = options;
  const shape: Shape = { nodes: rows.nodeCount, relations: rows.relationCount, dimensions };
  const random = new Random(seed, "notebook");
  const parameters = initialParameters(shape, random);
  const optimiser = new Adam(shape, parameters, options);
  const steps = epochs * stepsPerEpoch;
  let loss = Number.NaN;
  for (let step = 1; step <= steps; step++) {
    const sampled = sample(rows, options.positives, random);
    const messages = messagesOf(shape.nodes, shape.relations, sampled);
    const masks = dropoutMasks(shape, options.dropout, random);
    const result = lossOf(shape, parameters, messages, masks, sampled, options.regularisation);
    optimiser.step(result.gradients);
    loss = result.loss;
    await breathe(step, steps);
  }
  const { output } = encode(shape, parameters, messagesOf(shape.nodes, shape.relations, rows), null);
  return { shape, output, decoder: parameters.decoder, loss };
}

/** Probability that the model gives a link. */
export function linkProbability(model: Model, source: number, relation: number, target: number): number {
  return sigmoid(distMult(model.output, source, model.decoder, relation, target, model.shape.dimensions));
}

/** Rows at random, and for each the same with one end, at even odds either, replaced by any node at all. */
export function sample(rows: TrainingRows, positives: number, random: Random): Sampled {
  const sources = new Int32Array(2 * positives);
  const relations = new Int32Array(2 * positives);
  const targets = new Int32Array(2 * positives);
  for (let i = 0; i < positives; i++) {
    const triple = rows.rows[random.nextInt(rows.rows.length)]!;
    const fake = positives + i;
    sources[i] = sources[fake] = rows.sources[triple]!;
    relations[i] = relations[fake] = rows.relations[triple]!;
    targets[i] = targets[fake] = rows.targets[triple]!;
    (random.nextFloat() < 0.5 ? sources : targets)[fake] = random.nextInt(rows.nodeCount);
  }
  return { sources, relations, targets };
}

/**
 * Mean cross-entropy of the edges, the first half of which are true, plus `regularisation` times (mean square of all
 * embeddings + mean square of the decoder's vectors), and its gradients.
 */
export function lossOf(
  shape: Shape,
  parameters: Parameters,
  messages: Messages,
  masks: Masks,
  { sources, relations, targets }: Sampled,
  regularisation: number,
): { readonly loss: number; readonly gradients: Parameters } {
  const { dimensions: d } = shape;
  const gradients = emptyParameters(shape);
  const pass = encode(shape, parameters, messages, masks);
  const { output } = pass;
  const { decoder } = parameters;
  const outputGradient = new Float32Array(output.length);
  const edges = sources.length;
  let loss = 0;
  for (let e = 0; e < edges; e++) {
    const label = e < edges / 2 ? 1 : 0;
    const logit = distMult(output, sources[e]!, decoder, relations[e]!, targets[e]!, d);
    loss += (Math.max(logit, 0) - logit * label + Math.log1p(Math.exp(-Math.abs(logit)))) / edges;
    const gradient = (sigmoid(logit) - label) / edges;
    const [s, r, t] = [sources[e]! * d, relations[e]! * d, targets[e]! * d];
    for (let k = 0; k < d; k++) {
      const [from, by, to] = [output[s + k]!, decoder[r + k]!, output[t + k]!];
      outputGradient[s + k]! += gradient * by * to;
      outputGradient[t + k]! += gradient * by * from;
      gradients.decoder[r + k]! += gradient * from * to;
    }
  }
  loss += addMeanSquare(output, outputGradient, regularisation);
  loss += addMeanSquare(decoder, gradients.decoder, regularisation);
  encodeBackward(shape, parameters, messages, masks, pass, outputGradient, gradients);
  return { loss, gradients };
}

/** Adds the gradient of `weight` times the mean square, and gives its value. */
function addMeanSquare(values: Float32Array, gradient: Float32Array, weight: number): number {
  let sum = 0;
  for (let i = 0; i < values.length; i++) {
    sum += values[i]! ** 2;
    gradient[i]! += (2 * weight * values[i]!) / values.length;
  }
  return (weight * sum) / values.length;
}

function dropoutMasks({ nodes, dimensions }: Shape, share: number, random: Random): Masks {
  if (share === 0) return null;
  const mask = () => {
    const kept = new Float32Array(nodes * dimensions);
    for (let i = 0; i < kept.length; i++) kept[i] = random.nextFloat() < share ? 0 : 1 / (1 - share);
    return kept;
  };
  return { hidden: mask(), output: mask() };
}

/** Adam (Kingma & Ba, ICLR 2015) after the gradients were cut to a norm. */
class Adam {
  readonly #parameters: Parameters;
  readonly #options: NotebookOptions;
  readonly #means: Parameters;
  readonly #squares: Parameters;
  #step = 0;

  constructor(shape: Shape, parameters: Parameters, options: NotebookOptions) {
    this.#parameters = parameters;
    this.#options = options;
    this.#means = emptyParameters(shape);
    this.#squares = emptyParameters(shape);
  }

  step(gradients: Parameters): void {
    const { learningRate, gradientNormMax } = this.#options;
    const names = Object.keys(gradients) as (keyof Parameters)[];
    let square = 0;
    for (const name of names) for (const value of gradients[name]) square += value * value;
    const factor = Math.min(1, gradientNormMax / (Math.sqrt(square) + 1e-6));
    const rate = adamRate(learningRate, ++this.#step);
    for (const name of names) {
      const values = this.#parameters[name];
      const means = this.#means[name];
      const squares = this.#squares[name];
      const gradient = gradients[name];
      for (let i = 0; i < values.length; i++) {
        const g = gradient[i]! * factor;
        const mean = (means[i] = BETA1 * means[i]! + (1 - BETA1) * g);
        const moment = (squares[i] = BETA2 * squares[i]! + (1 - BETA2) * g * g);
        values[i]! -= (rate * mean) / (Math.sqrt(moment) + EPSILON);
      }
    }
  }
}
