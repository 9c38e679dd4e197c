import type { Floats } from "./decoder.ts";

/** Complex numbers of modulus one, real and imaginary parts in turn, from `count` phases. */
export function turn(phases: Floats, from: number, vectors: Floats, to: number, count: number): void {
  for (let i = 0; i < count; i++) {
    vectors[to + 2 * i] = Math.cos(phases[from + i]!);
    vectors[to + 2 * i + 1] = Math.sin(phases[from + i]!);
  }
}

/** Adds gradients by phases, from those by the numbers that they were turned to. */
export function addPhaseGradients(
  vectors: Floats,
  v: number,
  dVectors: Floats,
  dv: number,
  dPhases: Floats,
  to: number,
  count: number,
): void {
  for (let i = 0; i < 2 * count; i += 2)
    dPhases[to + i / 2]! += vectors[v + i]! * dVectors[dv + i + 1]! - vectors[v + i + 1]! * dVectors[dv + i]!;
}

/** The numbers of `vector` at modulus one: the mean of directions, from the mean of what points there. Zero stays zero. */
export function normalise(vector: Floats): void {
  for (let k = 0; k < vector.length; k += 2) {
    const modulus = Math.hypot(vector[k]!, vector[k + 1]!) || 1;
    vector[k]! /= modulus;
    vector[k + 1]! /= modulus;
  }
}
