import type { Tensor, Tensor2D } from "@tensorflow/tfjs-core";
import { type DecoderName, DISTANCE_MIN } from "../../decoders/decoder.ts";
import type { TensorFlow } from "./tensorflow.ts";

/** Logits of links, and their gradients by heads, vectors of relations and tails: links x d each, times the slopes of the loss. */
export type Decoded = {
  readonly logits: Tensor;
  readonly gradients: (slope: Tensor2D) => { readonly h: Tensor; readonly r: Tensor; readonly t: Tensor };
};

type Decode = (tf: typeof TensorFlow, h: Tensor2D, r: Tensor2D, t: Tensor2D, margin: number) => Decoded;

/** The decoders of `src/model/decoders` in operations. */
export const DECODE: Readonly<Record<DecoderName, Decode>> = {
  distmult(tf, h, r, t) {
    return {
      logits: tf.sum(tf.mul(tf.mul(h, r), t), 1),
      gradients(slope) {
        const slopeR = tf.mul(slope, r);
        return { h: tf.mul(slopeR, t), r: tf.mul(slope, tf.mul(h, t)), t: tf.mul(slopeR, h) };
      },
    };
  },

  transe(tf, h, r, t, margin) {
    const step = tf.sub(tf.add(h, r), t);
    const distance = tf.sqrt(tf.sum(tf.square(step), 1, true));
    return {
      logits: tf.sub(margin, tf.squeeze(distance, [1])),
      gradients(slope) {
        const g = tf.neg(tf.mul(slope, tf.div(step, tf.maximum(distance, DISTANCE_MIN))));
        return { h: g, r: g, t: tf.neg(g) };
      },
    };
  },

  rotate(tf, h, r, t, margin) {
    const step = tf.sub(product(tf, h, r), t);
    const [re, im] = parts(tf, step);
    const distances = tf.sqrt(tf.add(tf.square(re), tf.square(im)));
    return {
      logits: tf.sub(margin, tf.sum(distances, 1)),
      gradients(slope) {
        const distance = tf.maximum(fromParts(tf, distances, distances), DISTANCE_MIN);
        const g = tf.neg(tf.mul(slope, tf.div(step, distance)));
        return { h: conjugateProduct(tf, r, g), r: conjugateProduct(tf, h, g), t: tf.neg(g) };
      },
    };
  },

  complex(tf, h, r, t) {
    return {
      logits: tf.sum(tf.mul(product(tf, h, r), t), 1),
      gradients(slope) {
        const slopeT = tf.mul(slope, t);
        return {
          h: conjugateProduct(tf, r, slopeT),
          r: conjugateProduct(tf, h, slopeT),
          t: tf.mul(slope, product(tf, h, r)),
        };
      },
    };
  },
};

/** relations x d: complex numbers of modulus one from phases. */
export function turnTensor(tf: typeof TensorFlow, phases: Tensor): Tensor2D {
  return fromParts(tf, tf.cos(phases), tf.sin(phases));
}

/** Gradients by phases, from those by the numbers that they were turned to. */
export function phaseGradients(tf: typeof TensorFlow, vectors: Tensor, dVectors: Tensor): Tensor {
  const [re, im] = parts(tf, vectors);
  const [dRe, dIm] = parts(tf, dVectors);
  return tf.sub(tf.mul(re, dIm), tf.mul(im, dRe));
}

function product(tf: typeof TensorFlow, x: Tensor, y: Tensor): Tensor2D {
  const [xRe, xIm] = parts(tf, x);
  const [yRe, yIm] = parts(tf, y);
  return fromParts(
    tf,
    tf.sub(tf.mul(xRe, yRe), tf.mul(xIm, yIm)),
    tf.add(tf.mul(xRe, yIm), tf.mul(xIm, yRe)),
  );
}

/** conj(x) y */
function conjugateProduct(tf: typeof TensorFlow, x: Tensor, y: Tensor): Tensor2D {
  const [re, im] = parts(tf, x);
  return product(tf, fromParts(tf, re, tf.neg(im)), y);
}

/** Real and imaginary parts of rows x d, which has them in turn: rows x d/2 each. */
function parts(tf: typeof TensorFlow, x: Tensor): [Tensor, Tensor] {
  const [rows, d] = x.shape as [number, number];
  const [re, im] = tf.split(tf.reshape(x, [rows, d / 2, 2]), 2, 2) as [Tensor, Tensor];
  return [tf.squeeze(re, [2]), tf.squeeze(im, [2])];
}

function fromParts(tf: typeof TensorFlow, re: Tensor, im: Tensor): Tensor2D {
  const [rows, half] = re.shape as [number, number];
  return tf.reshape(tf.stack([re, im], 2), [rows, 2 * half]);
}
