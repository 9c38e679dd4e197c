import { addOuter, addRowTimes, addRowTimesTransposed } from "./matrices.ts";
import type { Messages } from "./messages.ts";
import type { Parameters, Shape } from "./parameters.ts";

/** What dropout multiplies each number of a layer with: 0, or 1 over the share that is kept. Null is no dropout. */
export type Masks = { readonly hidden: Float32Array; readonly output: Float32Array } | null;

/** What the backward pass needs of a forward one. */
export type Pass = {
  /** N x d: after ReLU and dropout. */
  readonly hidden: Float32Array;
  /** Groups x d: mean of the hidden sources of each group of messages. */
  readonly means: Float32Array;
  /** N x d: the embeddings, after dropout. */
  readonly output: Float32Array;
};

/**
 * The notebook's two layers, for all nodes (Schlichtkrull et al., ESWC 2018, with the deviations of the notebook):
 *
 *   h_i = Dropout(ReLU(sum_e n_e (w_r ⊙ E_j) + E_i L1 + b1))
 *   o_i = Dropout(sum_e n_e (h_j W_r) + h_i L2 + b2)          over the edges e = (j, r, i) into i
 *
 * Messages go one way: a host that only sends gets nothing but its own term.
 */
export function encode(shape: Shape, parameters: Parameters, messages: Messages, masks: Masks): Pass {
  const { nodes, dimensions: d } = shape;
  const { input, diagonal, self1, bias1, full, self2, bias2 } = parameters;
  const { groupTargets, groupRelations, groupStarts, edgeSources, edgeWeights } = messages;
  const hidden = new Float32Array(nodes * d);
  for (let i = 0; i < nodes; i++) {
    hidden.set(bias1, i * d);
    addRowTimes(hidden, i * d, input, i * d, self1, 0, d);
  }
  for (let g = 0; g < groupTargets.length; g++) {
    const at = groupTargets[g]! * d;
    const w = groupRelations[g]! * d;
    for (let e = groupStarts[g]!; e < groupStarts[g + 1]!; e++) {
      const from = edgeSources[e]! * d;
      const weight = edgeWeights[e]!;
      for (let k = 0; k < d; k++) hidden[at + k]! += weight * diagonal[w + k]! * input[from + k]!;
    }
  }
  for (let i = 0; i < hidden.length; i++) {
    hidden[i] = hidden[i]! > 0 ? hidden[i]! * (masks === null ? 1 : masks.hidden[i]!) : 0;
  }

  const output = new Float32Array(nodes * d);
  const means = new Float32Array(groupTargets.length * d);
  for (let i = 0; i < nodes; i++) {
    output.set(bias2, i * d);
    addRowTimes(output, i * d, hidden, i * d, self2, 0, d);
  }
  for (let g = 0; g < groupTargets.length; g++) {
    for (let e = groupStarts[g]!; e < groupStarts[g + 1]!; e++) {
      const from = edgeSources[e]! * d;
      const weight = edgeWeights[e]!;
      for (let k = 0; k < d; k++) means[g * d + k]! += weight * hidden[from + k]!;
    }
    addRowTimes(output, groupTargets[g]! * d, means, g * d, full, groupRelations[g]! * d * d, d);
  }
  if (masks !== null) for (let i = 0; i < output.length; i++) output[i]! *= masks.output[i]!;
  return { hidden, means, output };
}

/**
 * Adds to `gradients` what the loss changes with each parameter of the encoder.
 *
 * @param outputGradient N x d, by the embeddings; overwritten
 */
export function encodeBackward(
  shape: Shape,
  parameters: Parameters,
  messages: Messages,
  masks: Masks,
  pass: Pass,
  outputGradient: Float32Array,
  gradients: Parameters,
): void {
  const { nodes, dimensions: d } = shape;
  const { groupTargets, groupRelations, groupStarts, edgeSources, edgeWeights } = messages;
  const { hidden, means } = pass;
  if (masks !== null) for (let i = 0; i < outputGradient.length; i++) outputGradient[i]! *= masks.output[i]!;
  const hiddenGradient = new Float32Array(nodes * d);
  for (let i = 0; i < nodes; i++) {
    const at = i * d;
    for (let k = 0; k < d; k++) gradients.bias2[k]! += outputGradient[at + k]!;
    addOuter(gradients.self2, 0, hidden, at, outputGradient, at, d);
    addRowTimesTransposed(hiddenGradient, at, outputGradient, at, parameters.self2, 0, d);
  }
  const meanGradient = new Float32Array(d);
  for (let g = 0; g < groupTargets.length; g++) {
    const at = groupTargets[g]! * d;
    const w = groupRelations[g]! * d * d;
    addOuter(gradients.full, w, means, g * d, outputGradient, at, d);
    meanGradient.fill(0);
    addRowTimesTransposed(meanGradient, 0, outputGradient, at, parameters.full, w, d);
    for (let e = groupStarts[g]!; e < groupStarts[g + 1]!; e++) {
      const from = edgeSources[e]! * d;
      const weight = edgeWeights[e]!;
      for (let k = 0; k < d; k++) hiddenGradient[from + k]! += weight * meanGradient[k]!;
    }
  }
  // What ReLU or dropout set to zero passes nothing on.
  for (let i = 0; i < hiddenGradient.length; i++) {
    hiddenGradient[i] = hidden[i]! > 0 ? hiddenGradient[i]! * (masks === null ? 1 : masks.hidden[i]!) : 0;
  }
  const { input, diagonal, self1 } = parameters;
  for (let i = 0; i < nodes; i++) {
    const at = i * d;
    for (let k = 0; k < d; k++) gradients.bias1[k]! += hiddenGradient[at + k]!;
    addOuter(gradients.self1, 0, input, at, hiddenGradient, at, d);
    addRowTimesTransposed(gradients.input, at, hiddenGradient, at, self1, 0, d);
  }
  for (let g = 0; g < groupTargets.length; g++) {
    const at = groupTargets[g]! * d;
    const w = groupRelations[g]! * d;
    for (let e = groupStarts[g]!; e < groupStarts[g + 1]!; e++) {
      const from = edgeSources[e]! * d;
      const weight = edgeWeights[e]!;
      for (let k = 0; k < d; k++) {
        const gradient = weight * hiddenGradient[at + k]!;
        gradients.input[from + k]! += gradient * diagonal[w + k]!;
        gradients.diagonal[w + k]! += gradient * input[from + k]!;
      }
    }
  }
}
