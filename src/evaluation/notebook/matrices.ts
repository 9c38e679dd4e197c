/** out += x W, for one row: `x` from `xAt`, `out` from `outAt`, W d x d from `wAt`. Zeros in x cost nothing. */
export function addRowTimes(
  out: Float32Array,
  outAt: number,
  x: Float32Array,
  xAt: number,
  w: Float32Array,
  wAt: number,
  d: number,
): void {
  for (let k = 0; k < d; k++) {
    const factor = x[xAt + k]!;
    if (factor === 0) continue;
    const row = wAt + k * d;
    for (let j = 0; j < d; j++) out[outAt + j]! += factor * w[row + j]!;
  }
}

/** out += x W^T, for one row. */
export function addRowTimesTransposed(
  out: Float32Array,
  outAt: number,
  x: Float32Array,
  xAt: number,
  w: Float32Array,
  wAt: number,
  d: number,
): void {
  for (let k = 0; k < d; k++) {
    const row = wAt + k * d;
    let sum = 0;
    for (let j = 0; j < d; j++) sum += x[xAt + j]! * w[row + j]!;
    out[outAt + k]! += sum;
  }
}

/** W += x^T y, for one row of each: the gradient of a product's matrix. */
export function addOuter(
  w: Float32Array,
  wAt: number,
  x: Float32Array,
  xAt: number,
  y: Float32Array,
  yAt: number,
  d: number,
): void {
  for (let k = 0; k < d; k++) {
    const factor = x[xAt + k]!;
    if (factor === 0) continue;
    const row = wAt + k * d;
    for (let j = 0; j < d; j++) w[row + j]! += factor * y[yAt + j]!;
  }
}
