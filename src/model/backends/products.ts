// Products of rows of d numbers and d x d matrices, at places in larger arrays; nothing is allocated.

/** out += x M */
export function addProduct(
  x: Float64Array,
  at: number,
  m: Float64Array,
  mAt: number,
  out: Float64Array,
  to: number,
  d: number,
): void {
  for (let j = 0; j < d; j++) {
    const xj = x[at + j]!;
    if (xj === 0) continue;
    const base = mAt + j * d;
    for (let k = 0; k < d; k++) out[to + k]! += xj * m[base + k]!;
  }
}

/** out += x M^T */
export function addTransposed(
  x: Float64Array,
  at: number,
  m: Float64Array,
  mAt: number,
  out: Float64Array,
  to: number,
  d: number,
): void {
  for (let j = 0; j < d; j++) {
    const base = mAt + j * d;
    let sum = 0;
    for (let k = 0; k < d; k++) sum += x[at + k]! * m[base + k]!;
    out[to + j]! += sum;
  }
}

/** m += x^T y */
export function addOuter(
  x: Float64Array,
  at: number,
  y: Float64Array,
  yAt: number,
  m: Float64Array,
  mAt: number,
  d: number,
): void {
  for (let j = 0; j < d; j++) {
    const xj = x[at + j]!;
    if (xj === 0) continue;
    const base = mAt + j * d;
    for (let k = 0; k < d; k++) m[base + k]! += xj * y[yAt + k]!;
  }
}
