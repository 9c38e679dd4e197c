/**
 * Arithmetic of an RGCN's training step, in AssemblyScript: `npm run kernels` compiles it to
 * src/model/backends/simd/compiled-kernels.ts, which is what runs.
 *
 * Each function works on a range of rows, so that several threads share a step. All matrices are row-major float32, with rows
 * of a multiple of four floats; pointers are byte offsets in the one memory, which is the caller's. Nothing is allocated.
 */

import { F, sumOf, V, V2 } from "./vectors";

export { decodeComplEx, decodeDistMult, decodeRotatE, decodeTransE } from "./decode";

/**
 * out += in w for the rows [begin, end): rows x k times k x d.
 *
 * Four rows and eight columns at a time: of sixteen registers eight are sums, and each vector of w serves four rows.
 */
export function multiply(
  input: usize,
  k: usize,
  w: usize,
  d: usize,
  out: usize,
  begin: usize,
  end: usize,
): void {
  const rowIn = k * F;
  const rowOut = d * F;
  let i = begin;
  for (; i + 4 <= end; i += 4) {
    const x0 = input + i * rowIn;
    const x1 = x0 + rowIn;
    const x2 = x1 + rowIn;
    const x3 = x2 + rowIn;
    const o0 = out + i * rowOut;
    const o1 = o0 + rowOut;
    const o2 = o1 + rowOut;
    const o3 = o2 + rowOut;
    let c: usize = 0;
    for (; c + V2 <= rowOut; c += V2) {
      let a00 = v128.load(o0 + c);
      let a01 = v128.load(o0 + c, V);
      let a10 = v128.load(o1 + c);
      let a11 = v128.load(o1 + c, V);
      let a20 = v128.load(o2 + c);
      let a21 = v128.load(o2 + c, V);
      let a30 = v128.load(o3 + c);
      let a31 = v128.load(o3 + c, V);
      let at = w + c;
      for (let j: usize = 0; j < rowIn; j += F) {
        const w0 = v128.load(at);
        const w1 = v128.load(at, V);
        at += rowOut;
        let x = v128.load32_splat(x0 + j);
        a00 = f32x4.relaxed_madd(x, w0, a00);
        a01 = f32x4.relaxed_madd(x, w1, a01);
        x = v128.load32_splat(x1 + j);
        a10 = f32x4.relaxed_madd(x, w0, a10);
        a11 = f32x4.relaxed_madd(x, w1, a11);
        x = v128.load32_splat(x2 + j);
        a20 = f32x4.relaxed_madd(x, w0, a20);
        a21 = f32x4.relaxed_madd(x, w1, a21);
        x = v128.load32_splat(x3 + j);
        a30 = f32x4.relaxed_madd(x, w0, a30);
        a31 = f32x4.relaxed_madd(x, w1, a31);
      }
      v128.store(o0 + c, a00);
      v128.store(o0 + c, a01, V);
      v128.store(o1 + c, a10);
      v128.store(o1 + c, a11, V);
      v128.store(o2 + c, a20);
      v128.store(o2 + c, a21, V);
      v128.store(o3 + c, a30);
      v128.store(o3 + c, a31, V);
    }
    for (; c < rowOut; c += V) {
      let a0 = v128.load(o0 + c);
      let a1 = v128.load(o1 + c);
      let a2 = v128.load(o2 + c);
      let a3 = v128.load(o3 + c);
      let at = w + c;
      for (let j: usize = 0; j < rowIn; j += F) {
        const w0 = v128.load(at);
        at += rowOut;
        a0 = f32x4.relaxed_madd(v128.load32_splat(x0 + j), w0, a0);
        a1 = f32x4.relaxed_madd(v128.load32_splat(x1 + j), w0, a1);
        a2 = f32x4.relaxed_madd(v128.load32_splat(x2 + j), w0, a2);
        a3 = f32x4.relaxed_madd(v128.load32_splat(x3 + j), w0, a3);
      }
      v128.store(o0 + c, a0);
      v128.store(o1 + c, a1);
      v128.store(o2 + c, a2);
      v128.store(o3 + c, a3);
    }
  }
  for (; i < end; i++) {
    const x0 = input + i * rowIn;
    const o0 = out + i * rowOut;
    for (let c: usize = 0; c < rowOut; c += V) {
      let a0 = v128.load(o0 + c);
      let at = w + c;
      for (let j: usize = 0; j < rowIn; j += F) {
        a0 = f32x4.relaxed_madd(v128.load32_splat(x0 + j), v128.load(at), a0);
        at += rowOut;
      }
      v128.store(o0 + c, a0);
    }
  }
}

/** Rows that are multiplied at once below: what is read of them stays in the first cache. */
const OUTER_ROWS: usize = 32;

/** w += sum over rows [begin, end) of x^T y: k x d. */
export function addOuter(x: usize, k: usize, y: usize, d: usize, w: usize, begin: usize, end: usize): void {
  const rowX = k * F;
  const rowY = d * F;
  for (let from = begin; from < end; from += OUTER_ROWS) {
    const to = min(from + OUTER_ROWS, end);
    const count = to - from;
    const xs = x + from * rowX;
    const ys = y + from * rowY;
    for (let j: usize = 0; j < rowX; j += V) {
      const w0 = w + (j >> 2) * rowY;
      const w1 = w0 + rowY;
      const w2 = w1 + rowY;
      const w3 = w2 + rowY;
      let c: usize = 0;
      for (; c + V2 <= rowY; c += V2) {
        let a00 = v128.load(w0 + c);
        let a01 = v128.load(w0 + c, V);
        let a10 = v128.load(w1 + c);
        let a11 = v128.load(w1 + c, V);
        let a20 = v128.load(w2 + c);
        let a21 = v128.load(w2 + c, V);
        let a30 = v128.load(w3 + c);
        let a31 = v128.load(w3 + c, V);
        let xi = xs + j;
        let yi = ys + c;
        for (let i: usize = 0; i < count; i++) {
          const y0 = v128.load(yi);
          const y1 = v128.load(yi, V);
          let s = v128.load32_splat(xi);
          a00 = f32x4.relaxed_madd(s, y0, a00);
          a01 = f32x4.relaxed_madd(s, y1, a01);
          s = v128.load32_splat(xi, 4);
          a10 = f32x4.relaxed_madd(s, y0, a10);
          a11 = f32x4.relaxed_madd(s, y1, a11);
          s = v128.load32_splat(xi, 8);
          a20 = f32x4.relaxed_madd(s, y0, a20);
          a21 = f32x4.relaxed_madd(s, y1, a21);
          s = v128.load32_splat(xi, 12);
          a30 = f32x4.relaxed_madd(s, y0, a30);
          a31 = f32x4.relaxed_madd(s, y1, a31);
          xi += rowX;
          yi += rowY;
        }
        v128.store(w0 + c, a00);
        v128.store(w0 + c, a01, V);
        v128.store(w1 + c, a10);
        v128.store(w1 + c, a11, V);
        v128.store(w2 + c, a20);
        v128.store(w2 + c, a21, V);
        v128.store(w3 + c, a30);
        v128.store(w3 + c, a31, V);
      }
      for (; c < rowY; c += V) {
        let a0 = v128.load(w0 + c);
        let a1 = v128.load(w1 + c);
        let a2 = v128.load(w2 + c);
        let a3 = v128.load(w3 + c);
        let xi = xs + j;
        let yi = ys + c;
        for (let i: usize = 0; i < count; i++) {
          const y0 = v128.load(yi);
          a0 = f32x4.relaxed_madd(v128.load32_splat(xi), y0, a0);
          a1 = f32x4.relaxed_madd(v128.load32_splat(xi, 4), y0, a1);
          a2 = f32x4.relaxed_madd(v128.load32_splat(xi, 8), y0, a2);
          a3 = f32x4.relaxed_madd(v128.load32_splat(xi, 12), y0, a3);
          xi += rowX;
          yi += rowY;
        }
        v128.store(w0 + c, a0);
        v128.store(w1 + c, a1);
        v128.store(w2 + c, a2);
        v128.store(w3 + c, a3);
      }
    }
  }
}

/** out = w^T: k x d to d x k. */
export function transpose(w: usize, k: usize, d: usize, out: usize): void {
  for (let i: usize = 0; i < k; i++)
    for (let j: usize = 0; j < d; j++) store<f32>(out + (j * k + i) * F, load<f32>(w + (i * d + j) * F));
}

/**
 * Means of the neighbours of each pair of the destinations [begin, end), into `means`, and what a layer multiplies: for each
 * destination its own row and, for each of `bases`, the sum of its pairs' means by their coefficients.
 *
 * @param rows entities x d
 * @param pairStarts pairs of a destination, entities + 1
 * @param messages relation of a pair
 * @param starts neighbours of a pair, pairs + 1
 * @param coefficients messages x bases
 * @param x entities x (1 + bases) d
 */
export function gather(
  rows: usize,
  d: usize,
  bases: usize,
  pairStarts: usize,
  messages: usize,
  starts: usize,
  neighbours: usize,
  coefficients: usize,
  means: usize,
  x: usize,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  const rowX = (bases + 1) * row;
  for (let i = begin; i < end; i++) {
    const own = x + i * rowX;
    memory.copy(own, rows + i * row, row);
    memory.fill(own + row, 0, bases * row);
    const last = load<usize>(pairStarts + (i + 1) * 4);
    for (let p: usize = load<usize>(pairStarts + i * 4); p < last; p++) {
      const mean = means + p * row;
      meanOf(rows, row, starts, neighbours, p, mean);
      const c = coefficients + load<usize>(messages + p * 4) * bases * F;
      for (let k: usize = 0; k < row; k += V) {
        const m = v128.load(mean + k);
        let at = own + row + k;
        for (let b: usize = 0; b < bases; b++) {
          v128.store(at, f32x4.relaxed_madd(v128.load32_splat(c + b * F), m, v128.load(at)));
          at += row;
        }
      }
    }
  }
}

/** The same with a diagonal for each message relation: what pairs say is added to `out`, entities x d. */
export function gatherDiagonal(
  rows: usize,
  d: usize,
  pairStarts: usize,
  messages: usize,
  starts: usize,
  neighbours: usize,
  diagonals: usize,
  means: usize,
  out: usize,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  for (let i = begin; i < end; i++) {
    const to = out + i * row;
    const last = load<usize>(pairStarts + (i + 1) * 4);
    for (let p: usize = load<usize>(pairStarts + i * 4); p < last; p++) {
      const mean = means + p * row;
      meanOf(rows, row, starts, neighbours, p, mean);
      const diagonal = diagonals + load<usize>(messages + p * 4) * row;
      for (let k: usize = 0; k < row; k += V)
        v128.store(
          to + k,
          f32x4.relaxed_madd(v128.load(mean + k), v128.load(diagonal + k), v128.load(to + k)),
        );
    }
  }
}

function meanOf(rows: usize, row: usize, starts: usize, neighbours: usize, p: usize, mean: usize): void {
  const first = neighbours + load<usize>(starts + p * 4) * 4;
  const last = neighbours + load<usize>(starts + p * 4, 4) * 4;
  const share = f32x4.splat((1.0 as f32) / (((last - first) >> 2) as f32));
  for (let k: usize = 0; k < row; k += V) {
    let sum = f32x4.splat(0);
    for (let n = first; n < last; n += 4) sum = f32x4.add(sum, v128.load(rows + load<usize>(n) * row + k));
    v128.store(mean + k, f32x4.mul(sum, share));
  }
}

/**
 * Back through `gather`, but for what neighbours get: gradients by coefficients are added to `dCoefficients`, and each mean is
 * replaced by what each of its neighbours gets.
 *
 * @param dx gradients by x, entities x (1 + bases) d
 */
export function gatherBackward(
  d: usize,
  bases: usize,
  pairStarts: usize,
  messages: usize,
  starts: usize,
  coefficients: usize,
  means: usize,
  dx: usize,
  dCoefficients: usize,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  const rowX = (bases + 1) * row;
  for (let i = begin; i < end; i++) {
    const own = dx + i * rowX + row;
    const last = load<usize>(pairStarts + (i + 1) * 4);
    for (let p: usize = load<usize>(pairStarts + i * 4); p < last; p++) {
      const mean = means + p * row;
      const message = load<usize>(messages + p * 4) * bases * F;
      const c = coefficients + message;
      const dc = dCoefficients + message;
      for (let b: usize = 0; b < bases; b++) {
        let sum = f32x4.splat(0);
        const at = own + b * row;
        for (let k: usize = 0; k < row; k += V)
          sum = f32x4.relaxed_madd(v128.load(mean + k), v128.load(at + k), sum);
        store<f32>(dc + b * F, load<f32>(dc + b * F) + sumOf(sum));
      }
      const share = shareOf(starts, p);
      for (let k: usize = 0; k < row; k += V) {
        let sum = f32x4.splat(0);
        for (let b: usize = 0; b < bases; b++)
          sum = f32x4.relaxed_madd(v128.load32_splat(c + b * F), v128.load(own + b * row + k), sum);
        v128.store(mean + k, f32x4.mul(sum, share));
      }
    }
  }
}

/** @param dOut gradients by out, entities x d */
export function gatherDiagonalBackward(
  d: usize,
  pairStarts: usize,
  messages: usize,
  starts: usize,
  diagonals: usize,
  means: usize,
  dOut: usize,
  dDiagonals: usize,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  for (let i = begin; i < end; i++) {
    const from = dOut + i * row;
    const last = load<usize>(pairStarts + (i + 1) * 4);
    for (let p: usize = load<usize>(pairStarts + i * 4); p < last; p++) {
      const mean = means + p * row;
      const message = load<usize>(messages + p * 4) * row;
      const share = shareOf(starts, p);
      for (let k: usize = 0; k < row; k += V) {
        const g = v128.load(from + k);
        const at = dDiagonals + message + k;
        v128.store(at, f32x4.relaxed_madd(v128.load(mean + k), g, v128.load(at)));
        v128.store(mean + k, f32x4.mul(f32x4.mul(g, v128.load(diagonals + message + k)), share));
      }
    }
  }
}

function shareOf(starts: usize, p: usize): v128 {
  return f32x4.splat((1.0 as f32) / ((load<usize>(starts + p * 4, 4) - load<usize>(starts + p * 4)) as f32));
}

/**
 * What the entities [begin, end) get as neighbours, and as themselves: out = own + sum of the means of the pairs they are in.
 *
 * @param own first d floats of rows of `ownFloats`
 * @param sourceStarts pairs that an entity is a neighbour in, entities + 1
 */
export function scatter(
  own: usize,
  ownFloats: usize,
  d: usize,
  sourceStarts: usize,
  sourcePairs: usize,
  means: usize,
  out: usize,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  for (let i = begin; i < end; i++) {
    const from = own + i * ownFloats * F;
    const to = out + i * row;
    const first = sourcePairs + load<usize>(sourceStarts + i * 4) * 4;
    const last = sourcePairs + load<usize>(sourceStarts + i * 4, 4) * 4;
    for (let k: usize = 0; k < row; k += V) {
      let sum = v128.load(from + k);
      for (let n = first; n < last; n += 4) sum = f32x4.add(sum, v128.load(means + load<usize>(n) * row + k));
      v128.store(to + k, sum);
    }
  }
}

/** Each row of [begin, end) becomes the bias. */
export function setRows(bias: usize, d: usize, out: usize, begin: usize, end: usize): void {
  const row = d * F;
  for (let i = begin; i < end; i++) memory.copy(out + i * row, bias, row);
}

/** sums += sum of the rows [begin, end). */
export function addRows(rows: usize, d: usize, sums: usize, begin: usize, end: usize): void {
  const row = d * F;
  for (let k: usize = 0; k < row; k += V) {
    let sum = v128.load(sums + k);
    for (let i = begin; i < end; i++) sum = f32x4.add(sum, v128.load(rows + i * row + k));
    v128.store(sums + k, sum);
  }
}

/** Floats [begin, end): what is negative becomes zero. All ranges of floats are multiples of four. */
export function relu(x: usize, begin: usize, end: usize): void {
  const zero = f32x4.splat(0);
  for (let i = x + begin * F; i < x + end * F; i += V) v128.store(i, f32x4.max(v128.load(i), zero));
}

/** Back through `relu`: gradients of what is zero are zero. */
export function reluBackward(x: usize, dx: usize, begin: usize, end: usize): void {
  const zero = f32x4.splat(0);
  for (let i = begin * F; i < end * F; i += V)
    v128.store(dx + i, v128.and(v128.load(dx + i), f32x4.gt(v128.load(x + i), zero)));
}

/** sum of squares of the floats [begin, end) */
export function squares(x: usize, begin: usize, end: usize): f64 {
  let low = f64x2.splat(0);
  let high = f64x2.splat(0);
  for (let i = x + begin * F; i < x + end * F; i += V) {
    const v = v128.load(i);
    const square = f32x4.mul(v, v);
    low = f64x2.add(low, f64x2.promote_low_f32x4(square));
    high = f64x2.add(high, f64x2.promote_low_f32x4(i64x2.shuffle(square, square, 1, 0)));
  }
  const sum = f64x2.add(low, high);
  return f64x2.extract_lane(sum, 0) + f64x2.extract_lane(sum, 1);
}

/** out += factor x, floats [begin, end) */
export function addScaled(x: usize, factor: f32, out: usize, begin: usize, end: usize): void {
  const s = f32x4.splat(factor);
  for (let i = begin * F; i < end * F; i += V)
    v128.store(out + i, f32x4.relaxed_madd(s, v128.load(x + i), v128.load(out + i)));
}

/**
 * Multiplies the rows [begin, end) with a dropout mask, which `src/model/training/dropout.ts` defines.
 *
 * @param dimensions floats of a row without its padding
 * @param key what tells layers and steps apart
 * @param threshold hashes below that are dropped
 * @param scale what the others are multiplied with
 */
export function dropOut(
  x: usize,
  d: usize,
  dimensions: usize,
  key: i32,
  threshold: i32,
  scale: f32,
  begin: usize,
  end: usize,
): void {
  const row = d * F;
  const keys = i32x4.splat(key);
  const below = i32x4.splat(threshold);
  const factor = f32x4.splat(scale);
  for (let i = begin; i < end; i++) {
    let place = i32x4.add(i32x4.splat((i * dimensions) as i32), i32x4(0, 1, 2, 3));
    for (let k = x + i * row; k < x + (i + 1) * row; k += V) {
      let h = v128.xor(place, keys);
      h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 16)), i32x4.splat(0x21f0aaad));
      h = i32x4.mul(v128.xor(h, i32x4.shr_u(h, 15)), i32x4.splat(0x735a2d97));
      h = v128.xor(h, i32x4.shr_u(h, 15));
      const isDropped = i32x4.lt_u(h, below);
      v128.store(k, v128.andnot(f32x4.mul(v128.load(k), factor), isDropped));
      place = i32x4.add(place, i32x4.splat(4));
    }
  }
}

/**
 * One step of Adam for the floats [begin, end) of all arrays.
 *
 * @param clip what gradients are multiplied with
 * @param rate learning rate, corrected for the bias of both moments
 */
export function adam(
  values: usize,
  gradients: usize,
  first: usize,
  second: usize,
  clip: f32,
  rate: f32,
  begin: usize,
  end: usize,
): void {
  const b1 = f32x4.splat(0.9);
  const c1 = f32x4.splat((1 as f32) - (0.9 as f32));
  const b2 = f32x4.splat(0.999);
  const c2 = f32x4.splat((1 as f32) - (0.999 as f32));
  const epsilon = f32x4.splat(1e-8);
  const s = f32x4.splat(clip);
  const r = f32x4.splat(rate);
  for (let i = begin * F; i < end * F; i += V) {
    const g = f32x4.mul(s, v128.load(gradients + i));
    const m = f32x4.relaxed_madd(c1, g, f32x4.mul(b1, v128.load(first + i)));
    const v = f32x4.relaxed_madd(c2, f32x4.mul(g, g), f32x4.mul(b2, v128.load(second + i)));
    v128.store(first + i, m);
    v128.store(second + i, v);
    const step = f32x4.div(f32x4.mul(r, m), f32x4.add(f32x4.sqrt(v), epsilon));
    v128.store(values + i, f32x4.sub(v128.load(values + i), step));
  }
}
