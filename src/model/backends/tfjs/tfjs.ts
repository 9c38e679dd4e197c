import type { Tensor, Tensor1D, Tensor2D } from "@tensorflow/tfjs-core";
import { DECODERS, relationFloats } from "../../decoders/decoders.ts";
import { PARAMETER_NAMES, type RgcnParameters, type RgcnShape } from "../../rgcn.ts";
import { dropOut } from "../../training/dropout.ts";
import { adamRate, BETA1, BETA2, EPSILON } from "../adam.ts";
import type {
  BackendOptions,
  CreateBackend,
  MessageGraph,
  TrainingBackend,
  TrainingBatch,
} from "../backend.ts";
import { indexMessages } from "../message-index.ts";
import { packState, unpackState } from "../optimiser-state.ts";
import { DECODE, phaseGradients, turnTensor } from "./decode.ts";
import { loadTensorFlow, type TensorFlow, type TfjsDevice } from "./tensorflow.ts";

type Tensors = Readonly<Record<keyof RgcnParameters, Tensor>>;
type LayerTensors = { readonly basis: Tensor; readonly coefficients: Tensor; readonly self: Tensor2D };

/** Numbers of rows, to gather by and, as a column, to scatter by. */
type Places = { readonly rows: Tensor1D; readonly column: Tensor2D };

/** A message graph on the device. */
type PairTensors = {
  readonly pairs: number;
  readonly neighbour: Places;
  /** By neighbour: the pair that it belongs to. */
  readonly pair: Places;
  /** By pair. */
  readonly message: Places;
  readonly destination: Places;
  /** pairs x 1: one by the number of its neighbours. */
  readonly share: Tensor2D;
};

/** By layer: entities x d. */
type Masks = readonly [Tensor2D, Tensor2D];

/** What a layer leaves behind for its gradients. */
type Passed = {
  readonly out: Tensor2D;
  readonly means: Tensor2D;
  /** By basis: sums of weighted means, entities x d. */
  readonly sums: readonly Tensor2D[];
};

/**
 * The model in TensorFlow.js operations, for whatever that runs on: a GPU where there is one. Gradients are written out, so that all
 * it takes of a device is gathering and scattering of rows and products of matrices, not gradients of its own: those of several of
 * these operations are missing or wrong on one device or another.
 */
export class TfjsBackend implements TrainingBackend {
  readonly name: string;
  readonly #tf: typeof TensorFlow;
  readonly #shape: RgcnShape;
  readonly #options: BackendOptions;
  readonly #graphs: readonly PairTensors[];
  #values: Tensors;
  #first: Tensors;
  #second: Tensors;
  #steps = 0;
  /** Where masks are made, one for each layer: none without dropout. */
  readonly #maskFloats: readonly Float32Array[];

  constructor(
    tf: typeof TensorFlow,
    device: TfjsDevice,
    shape: RgcnShape,
    start: RgcnParameters,
    graphs: readonly MessageGraph[],
    options: BackendOptions,
  ) {
    this.name = `tfjs-${device}`;
    this.#tf = tf;
    this.#shape = shape;
    this.#options = options;
    this.#graphs = graphs.map((graph) => this.#pairTensors(graph));
    const maskSize = options.dropout.rate > 0 ? shape.entities * shape.dimensions : 0;
    this.#maskFloats = [new Float32Array(maskSize), new Float32Array(maskSize)];
    this.#values = byName((name) => tf.tensor(start[name], this.#shapeOf(name)));
    this.#first = byName((name) => tf.zeros(this.#shapeOf(name)));
    this.#second = byName((name) => tf.zeros(this.#shapeOf(name)));
  }

  step(batch: TrainingBatch, graph: number): number {
    const tf = this.#tf;
    this.#steps++;
    const { learningRate, clipNorm } = this.#options;
    const rate = adamRate(learningRate, this.#steps);
    const { loss, values, first, second } = tf.tidy(() => {
      const { loss, gradients } = this.#lossAndGradients(batch, this.#graphs[graph]!);
      const squares = PARAMETER_NAMES.filter((name) => gradients[name].size > 0).map((name) =>
        tf.sum(tf.square(gradients[name])),
      );
      const norm = tf.sqrt(tf.addN(squares));
      const clip = tf.minimum(1, tf.div(clipNorm, tf.maximum(norm, clipNorm)));
      const clipped = byName((name) => tf.mul(gradients[name], clip));
      const first = byName((name) =>
        tf.add(tf.mul(BETA1, this.#first[name]), tf.mul(1 - BETA1, clipped[name])),
      );
      const second = byName((name) =>
        tf.add(tf.mul(BETA2, this.#second[name]), tf.mul(1 - BETA2, tf.square(clipped[name]))),
      );
      const values = byName((name) => {
        const step = tf.div(tf.mul(rate, first[name]), tf.add(tf.sqrt(second[name]), EPSILON));
        return tf.sub(this.#values[name], step);
      });
      return { loss, values, first, second };
    });
    const [value] = loss.dataSync();
    this.#dispose();
    loss.dispose();
    this.#values = values;
    this.#first = first;
    this.#second = second;
    return value!;
  }

  forward(): { readonly hidden: Float32Array; readonly output: Float32Array } {
    const { hidden, output } = this.#tf.tidy(() => {
      const { hidden, second } = this.#forward(this.#graphs[0]!);
      return { hidden, output: second.out };
    });
    const read = { hidden: floatsOf(hidden), output: floatsOf(output) };
    hidden.dispose();
    output.dispose();
    return read;
  }

  parameters(): RgcnParameters {
    return byName((name) => floatsOf(this.#values[name]));
  }

  state(): Uint8Array {
    return packState(
      this.#steps,
      [this.#values, this.#first, this.#second].flatMap((tensors) =>
        PARAMETER_NAMES.map((name) => floatsOf(tensors[name])),
      ),
    );
  }

  resume(state: Uint8Array): void {
    const tf = this.#tf;
    const read = [this.#values, this.#first, this.#second].map((tensors) =>
      byName((name) => new Float32Array(tensors[name].size)),
    );
    this.#steps = unpackState(
      state,
      read.flatMap((numbers) => PARAMETER_NAMES.map((name) => numbers[name])),
    );
    this.#dispose();
    [this.#values, this.#first, this.#second] = read.map((numbers) =>
      byName((name) => tf.tensor(numbers[name], this.#shapeOf(name))),
    ) as [Tensors, Tensors, Tensors];
  }

  close(): void {
    this.#dispose();
    for (const { neighbour, pair, message, destination, share } of this.#graphs) {
      for (const { rows, column } of [neighbour, pair, message, destination]) {
        rows.dispose();
        column.dispose();
      }
      share.dispose();
    }
  }

  #dispose(): void {
    for (const tensors of [this.#values, this.#first, this.#second])
      for (const name of PARAMETER_NAMES) tensors[name].dispose();
  }

  #lossAndGradients(batch: TrainingBatch, graph: PairTensors): { loss: Tensor; gradients: Tensors } {
    const tf = this.#tf;
    const { entities, relations, dimensions: d } = this.#shape;
    const { l2 } = this.#options;
    const links = batch.from.length;
    const masks = this.#masks();
    const { first, hidden, second } = this.#forward(graph, masks);
    const z = second.out;
    const { hasPhases, margin } = DECODERS[this.#shape.decoder];
    const trained = this.#values.decoder as Tensor2D;
    const vectors = hasPhases ? turnTensor(tf, trained) : trained;
    const [from, relation, to] = [batch.from, batch.relation, batch.to].map((rows) => this.#places(rows)) as [
      Places,
      Places,
      Places,
    ];
    const label = tf.tensor1d(batch.label);
    const weight = tf.div(tf.tensor1d(batch.weight), links);
    const { logits, gradients } = DECODE[this.#shape.decoder](
      tf,
      tf.gather(z, from.rows),
      tf.gather(vectors, relation.rows),
      tf.gather(z, to.rows),
      margin(d),
    );
    const crossEntropy = tf.sum(tf.mul(weight, tf.sub(tf.softplus(logits), tf.mul(label, logits))));
    const squares = tf.mean(tf.square(z));
    // Of a phase nothing is too large.
    const penalty = hasPhases ? squares : tf.add(squares, tf.mean(tf.square(trained)));
    const loss = tf.add(crossEntropy, tf.mul(l2, penalty));

    const slope = tf.expandDims(tf.mul(weight, tf.sub(tf.sigmoid(logits), label)), 1) as Tensor2D;
    const { h, r, t } = gradients(slope);
    const dz = this.#masked(
      tf.addN([
        this.#sumRows(from, h, entities),
        this.#sumRows(to, t, entities),
        tf.mul((2 * l2) / z.size, z) as Tensor2D,
      ]),
      masks?.[1],
    );
    const dVectors = this.#sumRows(relation, r, relations);
    const dDecoder = hasPhases
      ? phaseGradients(tf, vectors, dVectors)
      : tf.add(dVectors, tf.mul((2 * l2) / trained.size, trained));
    const layer2 = this.#backward(graph, 2, hidden, second, dz);
    const dHidden = tf.mul(layer2.rows, tf.cast(tf.greater(hidden, 0), "float32")) as Tensor2D;
    const dh = this.#masked(dHidden, masks?.[0]);
    const layer1 = this.#backward(graph, 1, this.#values.input as Tensor2D, first, dh);
    return {
      loss,
      gradients: {
        input: layer1.rows,
        basis1: layer1.basis,
        coefficients1: layer1.coefficients,
        self1: layer1.self,
        bias1: layer1.bias,
        basis2: layer2.basis,
        coefficients2: layer2.coefficients,
        self2: layer2.self,
        bias2: layer2.bias,
        decoder: dDecoder,
      },
    };
  }

  #forward(graph: PairTensors, masks?: Masks): { first: Passed; hidden: Tensor2D; second: Passed } {
    const first = this.#layer(graph, 1, this.#values.input as Tensor2D);
    const hidden = this.#masked(this.#tf.relu(first.out), masks?.[0]);
    const second = this.#layer(graph, 2, hidden);
    return { first, hidden, second: { ...second, out: this.#masked(second.out, masks?.[1]) } };
  }

  /** What dropout multiplies the outputs of both layers with in this step. */
  #masks(): Masks | undefined {
    const { entities, dimensions } = this.#shape;
    const { dropout } = this.#options;
    if (dropout.rate === 0) return undefined;
    const of = (layer: 1 | 2): Tensor2D => {
      const mask = this.#maskFloats[layer - 1]!.fill(1);
      dropOut(mask, dropout, this.#steps, layer);
      return this.#tf.tensor2d(mask, [entities, dimensions]);
    };
    return [of(1), of(2)];
  }

  #masked(rows: Tensor2D, mask: Tensor2D | undefined): Tensor2D {
    return mask === undefined ? rows : this.#tf.mul(rows, mask);
  }

  #layerOf(layer: 1 | 2): LayerTensors {
    const values = this.#values;
    return layer === 1
      ? { basis: values.basis1, coefficients: values.coefficients1, self: values.self1 as Tensor2D }
      : { basis: values.basis2, coefficients: values.coefficients2, self: values.self2 as Tensor2D };
  }

  #layer(graph: PairTensors, layer: 1 | 2, rows: Tensor2D): Passed {
    const tf = this.#tf;
    const { entities } = this.#shape;
    const { neighbour, pair, destination, share, pairs } = graph;
    const { self } = this.#layerOf(layer);
    const means = tf.mul(this.#sumRows(pair, tf.gather(rows, neighbour.rows), pairs), share) as Tensor2D;
    const sums: Tensor2D[] = [];
    const parts: Tensor2D[] = [tf.matMul(rows, self)];
    for (const [b, weights] of this.#weights(graph, layer).entries()) {
      const sum = this.#sumRows(destination, tf.mul(means, weights), entities);
      sums.push(sum);
      parts.push(this.#shape.weights === "basis" ? tf.matMul(sum, this.#basis(layer, b)) : sum);
    }
    const bias = layer === 1 ? this.#values.bias1 : this.#values.bias2;
    return { out: tf.add(tf.addN(parts), bias) as Tensor2D, means, sums };
  }

  /** What means are multiplied with before they are summed: by basis a column, or one matrix of diagonals. */
  #weights({ message }: PairTensors, layer: 1 | 2): Tensor2D[] {
    const tf = this.#tf;
    const { weights, bases } = this.#shape;
    const { basis, coefficients } = this.#layerOf(layer);
    if (weights === "diagonal") return [tf.gather(basis, message.rows) as Tensor2D];
    return tf.split(tf.gather(coefficients, message.rows) as Tensor2D, bases, 1);
  }

  #basis(layer: 1 | 2, b: number): Tensor2D {
    const { dimensions: d } = this.#shape;
    return this.#tf.reshape(this.#tf.slice(this.#layerOf(layer).basis, [b, 0, 0], [1, d, d]), [d, d]);
  }

  #backward(graph: PairTensors, layer: 1 | 2, rows: Tensor2D, { means, sums }: Passed, dOut: Tensor2D) {
    const tf = this.#tf;
    const { entities, relations, dimensions: d, bases, weights } = this.#shape;
    const { neighbour, pair, message, destination, share } = graph;
    const { self } = this.#layerOf(layer);
    const dMeans: Tensor[] = [];
    const dBasis: Tensor2D[] = [];
    const dWeights: Tensor[] = [];
    for (const [b, weight] of this.#weights(graph, layer).entries()) {
      const dSum = weights === "basis" ? tf.matMul(dOut, this.#basis(layer, b), false, true) : dOut;
      const dWeighted = tf.gather(dSum, destination.rows);
      dMeans.push(tf.mul(dWeighted, weight));
      const products = tf.mul(dWeighted, means);
      if (weights === "basis") {
        dBasis.push(tf.matMul(sums[b]!, dOut, true));
        dWeights.push(tf.sum(products, 1, true));
      } else {
        dWeights.push(products);
      }
    }
    const byMessage = this.#sumRows(
      message,
      tf.concat(dWeights, 1),
      2 * relations,
      weights === "basis" ? bases : d,
    );
    const dNeighbours = tf.gather(tf.mul(tf.addN(dMeans), share), pair.rows);
    return {
      rows: tf.add(
        tf.matMul(dOut, self, false, true),
        this.#sumRows(neighbour, dNeighbours, entities),
      ) as Tensor2D,
      self: tf.matMul(rows, dOut, true),
      bias: tf.sum(dOut, 0),
      basis: weights === "basis" ? tf.stack(dBasis) : byMessage,
      coefficients: weights === "basis" ? byMessage : this.#tf.zeros([2 * relations, 0]),
    };
  }

  /** count x width: each row the sum of the values of its places. */
  #sumRows({ column }: Places, values: Tensor, count: number, width = this.#shape.dimensions): Tensor2D {
    return this.#tf.scatterND(column, values, [count, width]) as Tensor2D;
  }

  #places(rows: Int32Array): Places {
    return {
      rows: this.#tf.tensor1d(rows, "int32"),
      column: this.#tf.tensor2d(rows, [rows.length, 1], "int32"),
    };
  }

  #pairTensors(graph: MessageGraph): PairTensors {
    const { entities, relations } = this.#shape;
    const index = indexMessages(graph, entities, relations);
    const { pairs, destinations, messages, starts, neighbours } = index;
    const pairOf = new Int32Array(neighbours.length);
    const share = new Float32Array(pairs);
    for (let p = 0; p < pairs; p++) {
      pairOf.fill(p, starts[p], starts[p + 1]);
      share[p] = 1 / (starts[p + 1]! - starts[p]!);
    }
    return {
      pairs,
      neighbour: this.#places(neighbours),
      pair: this.#places(pairOf),
      message: this.#places(messages),
      destination: this.#places(destinations),
      share: this.#tf.tensor2d(share, [pairs, 1]),
    };
  }

  #shapeOf(name: keyof RgcnParameters): number[] {
    const { entities, relations, dimensions: d, bases, weights } = this.#shape;
    switch (name) {
      case "input":
        return [entities, d];
      case "decoder":
        return [relations, relationFloats(this.#shape.decoder, d)];
      case "self1":
      case "self2":
        return [d, d];
      case "bias1":
      case "bias2":
        return [d];
      case "coefficients1":
      case "coefficients2":
        return [2 * relations, bases];
      case "basis1":
      case "basis2":
        return weights === "basis" ? [bases, d, d] : [2 * relations, d];
    }
  }
}

/** @throws {OddlinkError} TRAINING_FAILED if the device can't be used */
export async function loadTfjsBackend(device: TfjsDevice): Promise<CreateBackend> {
  const tf = await loadTensorFlow(device);
  return (shape, start, graphs, options) => new TfjsBackend(tf, device, shape, start, graphs, options);
}

function byName<T>(of: (name: keyof RgcnParameters) => T): Record<keyof RgcnParameters, T> {
  return Object.fromEntries(PARAMETER_NAMES.map((name) => [name, of(name)])) as Record<
    keyof RgcnParameters,
    T
  >;
}

function floatsOf(tensor: Tensor): Float32Array {
  return Float32Array.from(tensor.dataSync());
}
