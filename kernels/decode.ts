/**
 * Loss and gradients of links, one function a decoder: `src/model/decoders` has their formulas. Relations are vectors of d floats in all
 * of them; phases become such vectors before, and gradients by them gradients by phases after.
 *
 * Each gives the cross entropy of the links [begin, end) as a weighted mean over `count`, and adds its gradients to dz and dRelations,
 * which belong to this thread.
 *
 *   z          entities x d
 *   relations  relations x d
 *   margin     logit at distance zero, for decoders that measure a distance
 */

import { F, sumOf, V } from "./vectors";

/** Below that a distance has no direction. */
const DISTANCE_MIN: f32 = 1e-12;

export function decodeDistMult(
  z: usize,
  relations: usize,
  d: usize,
  _margin: f32,
  from: usize,
  relation: usize,
  to: usize,
  label: usize,
  weight: usize,
  count: f32,
  dz: usize,
  dRelations: usize,
  begin: usize,
  end: usize,
): f64 {
  const row = d * F;
  let loss: f64 = 0;
  for (let e = begin * 4; e < end * 4; e += 4) {
    const h = load<usize>(from + e) * row;
    const t = load<usize>(to + e) * row;
    const r = load<usize>(relation + e) * row;
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += V)
      sum = f32x4.relaxed_madd(
        f32x4.mul(v128.load(z + h + k), v128.load(relations + r + k)),
        v128.load(z + t + k),
        sum,
      );
    const logit = sumOf(sum);
    const share = load<f32>(weight + e) / count;
    const y = load<f32>(label + e);
    const small = exp(-abs(logit));
    loss += (share * crossEntropy(logit, y, small)) as f64;
    const slope = f32x4.splat(share * (probability(logit, small) - y));
    for (let k: usize = 0; k < row; k += V) {
      const zh = v128.load(z + h + k);
      const zt = v128.load(z + t + k);
      const slopeR = f32x4.mul(slope, v128.load(relations + r + k));
      v128.store(dz + h + k, f32x4.relaxed_madd(slopeR, zt, v128.load(dz + h + k)));
      v128.store(dz + t + k, f32x4.relaxed_madd(slopeR, zh, v128.load(dz + t + k)));
      const at = dRelations + r + k;
      v128.store(at, f32x4.relaxed_madd(f32x4.mul(slope, zh), zt, v128.load(at)));
    }
  }
  return loss;
}

export function decodeTransE(
  z: usize,
  relations: usize,
  d: usize,
  margin: f32,
  from: usize,
  relation: usize,
  to: usize,
  label: usize,
  weight: usize,
  count: f32,
  dz: usize,
  dRelations: usize,
  begin: usize,
  end: usize,
): f64 {
  const row = d * F;
  let loss: f64 = 0;
  for (let e = begin * 4; e < end * 4; e += 4) {
    const h = load<usize>(from + e) * row;
    const t = load<usize>(to + e) * row;
    const r = load<usize>(relation + e) * row;
    let squares = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += V) {
      const step = f32x4.sub(
        f32x4.add(v128.load(z + h + k), v128.load(relations + r + k)),
        v128.load(z + t + k),
      );
      squares = f32x4.relaxed_madd(step, step, squares);
    }
    const distance = sqrt(sumOf(squares));
    const logit = margin - distance;
    const share = load<f32>(weight + e) / count;
    const y = load<f32>(label + e);
    const small = exp(-abs(logit));
    loss += (share * crossEntropy(logit, y, small)) as f64;
    const scale = f32x4.splat((-share * (probability(logit, small) - y)) / max(distance, DISTANCE_MIN));
    for (let k: usize = 0; k < row; k += V) {
      const g = f32x4.mul(
        scale,
        f32x4.sub(f32x4.add(v128.load(z + h + k), v128.load(relations + r + k)), v128.load(z + t + k)),
      );
      add(dz + h + k, g);
      add(dz + t + k, f32x4.neg(g));
      add(dRelations + r + k, g);
    }
  }
  return loss;
}

export function decodeRotatE(
  z: usize,
  relations: usize,
  d: usize,
  margin: f32,
  from: usize,
  relation: usize,
  to: usize,
  label: usize,
  weight: usize,
  count: f32,
  dz: usize,
  dRelations: usize,
  begin: usize,
  end: usize,
): f64 {
  const row = d * F;
  let loss: f64 = 0;
  for (let e = begin * 4; e < end * 4; e += 4) {
    const h = load<usize>(from + e) * row;
    const t = load<usize>(to + e) * row;
    const r = load<usize>(relation + e) * row;
    // Each distance stands in two places.
    let distances = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += V) {
      const step = f32x4.sub(
        product(v128.load(z + h + k), v128.load(relations + r + k)),
        v128.load(z + t + k),
      );
      distances = f32x4.add(distances, moduli(step));
    }
    const logit = margin - (0.5 as f32) * sumOf(distances);
    const share = load<f32>(weight + e) / count;
    const y = load<f32>(label + e);
    const small = exp(-abs(logit));
    loss += (share * crossEntropy(logit, y, small)) as f64;
    const slope = f32x4.splat(-share * (probability(logit, small) - y));
    for (let k: usize = 0; k < row; k += V) {
      const zh = v128.load(z + h + k);
      const vr = v128.load(relations + r + k);
      const step = f32x4.sub(product(zh, vr), v128.load(z + t + k));
      const g = f32x4.mul(slope, f32x4.div(step, f32x4.max(moduli(step), f32x4.splat(DISTANCE_MIN))));
      add(dz + h + k, conjugateProduct(vr, g));
      add(dz + t + k, f32x4.neg(g));
      add(dRelations + r + k, conjugateProduct(zh, g));
    }
  }
  return loss;
}

export function decodeComplEx(
  z: usize,
  relations: usize,
  d: usize,
  _margin: f32,
  from: usize,
  relation: usize,
  to: usize,
  label: usize,
  weight: usize,
  count: f32,
  dz: usize,
  dRelations: usize,
  begin: usize,
  end: usize,
): f64 {
  const row = d * F;
  let loss: f64 = 0;
  for (let e = begin * 4; e < end * 4; e += 4) {
    const h = load<usize>(from + e) * row;
    const t = load<usize>(to + e) * row;
    const r = load<usize>(relation + e) * row;
    let sum = f32x4.splat(0);
    for (let k: usize = 0; k < row; k += V)
      sum = f32x4.relaxed_madd(
        product(v128.load(z + h + k), v128.load(relations + r + k)),
        v128.load(z + t + k),
        sum,
      );
    const logit = sumOf(sum);
    const share = load<f32>(weight + e) / count;
    const y = load<f32>(label + e);
    const small = exp(-abs(logit));
    loss += (share * crossEntropy(logit, y, small)) as f64;
    const slope = f32x4.splat(share * (probability(logit, small) - y));
    for (let k: usize = 0; k < row; k += V) {
      const zh = v128.load(z + h + k);
      const vr = v128.load(relations + r + k);
      const slopeT = f32x4.mul(slope, v128.load(z + t + k));
      add(dz + h + k, conjugateProduct(vr, slopeT));
      add(dz + t + k, f32x4.mul(slope, product(zh, vr)));
      add(dRelations + r + k, conjugateProduct(zh, slopeT));
    }
  }
  return loss;
}

function add(at: usize, x: v128): void {
  v128.store(at, f32x4.add(v128.load(at), x));
}

/** x y of two complex numbers each, real and imaginary parts in turn. */
function product(x: v128, y: v128): v128 {
  const re = i32x4.shuffle(y, y, 0, 0, 2, 2);
  const im = f32x4.mul(i32x4.shuffle(y, y, 1, 1, 3, 3), f32x4(-1, 1, -1, 1));
  return f32x4.relaxed_madd(x, re, f32x4.mul(i32x4.shuffle(x, x, 1, 0, 3, 2), im));
}

/** conj(x) y */
function conjugateProduct(x: v128, y: v128): v128 {
  return product(y, f32x4.mul(x, f32x4(1, -1, 1, -1)));
}

/** |x|, of each number in both of its places. */
function moduli(x: v128): v128 {
  const squares = f32x4.mul(x, x);
  return f32x4.sqrt(f32x4.add(squares, i32x4.shuffle(squares, squares, 1, 0, 3, 2)));
}

/** softplus(-logit) for a true link, softplus(logit) for a fake; `small` is e^-|logit|. */
function crossEntropy(logit: f32, label: f32, small: f32): f32 {
  return max(logit, 0 as f32) - logit * label + log1p(small);
}

function probability(logit: f32, small: f32): f32 {
  return (logit >= 0 ? (1 as f32) : small) / ((1 as f32) + small);
}

/** e^x for x <= 0, to some 1e-7: 2^n times a polynomial of what is left, |rest| <= ln 2 / 2. */
function exp(x: f32): f32 {
  if (x < -87) return 0;
  const n = nearest(x * (Math.LOG2E as f32));
  const r = x - n * (0.693359375 as f32) + n * (0.00021219444 as f32);
  let p: f32 = 1.0 / 720.0;
  p = p * r + ((1.0 / 120.0) as f32);
  p = p * r + ((1.0 / 24.0) as f32);
  p = p * r + ((1.0 / 6.0) as f32);
  p = p * r + (0.5 as f32);
  p = p * r + (1 as f32);
  p = p * r + (1 as f32);
  return p * reinterpret<f32>(((n as i32) + 127) << 23);
}

/** ln(1 + x) for x in [0, 1], to some 1e-8: 2 artanh(x / (2 + x)), whose argument is at most a third. */
function log1p(x: f32): f32 {
  const s = x / (x + (2 as f32));
  const q = s * s;
  let p: f32 = 1.0 / 13.0;
  p = p * q + ((1.0 / 11.0) as f32);
  p = p * q + ((1.0 / 9.0) as f32);
  p = p * q + ((1.0 / 7.0) as f32);
  p = p * q + ((1.0 / 5.0) as f32);
  p = p * q + ((1.0 / 3.0) as f32);
  p = p * q + (1 as f32);
  return (2 as f32) * s * p;
}
