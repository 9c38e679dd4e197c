/** How likely a link is, as a logit, from the embeddings of its ends and the vector of its relation. */
export type Decoder = (
  output: Float32Array,
  source: number,
  decoder: Float32Array,
  relation: number,
  target: number,
  dimensions: number,
) => number;

/** The notebook's default (Yang et al., ICLR 2015). Symmetric: it can't tell who logs in where. */
export const distMult: Decoder = (output, source, decoder, relation, target, d) => {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    sum += output[source * d + k]! * decoder[relation * d + k]! * output[target * d + k]!;
  }
  return sum;
};

/**
 * TransE as the notebook's library ships it: a distance, which is never negative, taken for a logit. So no link is ever less
 * likely than one half, and training drives the ends of true links apart. Here to show that, not to be trained.
 */
export const transEAsShipped: Decoder = (...link) => translationDistance(...link);

/** TransE as it is meant (Bordes et al., NeurIPS 2013): near is likely; `margin` is the distance of even odds. */
export const transE =
  (margin: number): Decoder =>
  (...link) =>
    margin - translationDistance(...link);

function translationDistance(...[output, source, decoder, relation, target, d]: Parameters<Decoder>): number {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    sum += Math.abs(output[source * d + k]! + decoder[relation * d + k]! - output[target * d + k]!);
  }
  return sum;
}

/** RotatE as the library ships it: real numbers, so nothing turns, and minus a distance: never more likely than one half. */
export const rotatEAsShipped: Decoder = (output, source, decoder, relation, target, d) => {
  let sum = 0;
  for (let k = 0; k < d; k++) {
    sum += Math.abs(output[source * d + k]! * decoder[relation * d + k]! - output[target * d + k]!);
  }
  return -sum;
};

export function sigmoid(logit: number): number {
  return 1 / (1 + Math.exp(-logit));
}
