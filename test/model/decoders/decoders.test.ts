import assert from "node:assert/strict";
import { test } from "node:test";
import { DECODER_NAMES, type Decoder } from "../../../src/model/decoders/decoder.ts";
import { DECODERS, linkScorer, meanVector, relationVectors } from "../../../src/model/decoders/decoders.ts";
import { addPhaseGradients, turn } from "../../../src/model/decoders/phases.ts";
import { Random } from "../../../src/model/random.ts";
import { initialParameters, type RgcnShape } from "../../../src/model/rgcn.ts";

const D = 6;
const ROWS = 3;
const RELATIONS = 2;

/** Rows of entities and vectors of relations that the decoder may meet. */
function randomRows({ hasPhases }: Decoder, seed: number) {
  const random = new Random(seed, "rows");
  const rows = Float64Array.from({ length: ROWS * D }, () => random.nextWithin(1));
  const relations = Float64Array.from({ length: RELATIONS * D }, () => random.nextWithin(1));
  const phases = Float64Array.from({ length: (RELATIONS * D) / 2 }, () => random.nextWithin(Math.PI));
  if (hasPhases) turn(phases, 0, relations, 0, phases.length);
  return { rows, relations, phases };
}

/** Compares with the slopes of `score` by each number of `values`. */
function assertSlopes(score: () => number, values: Float64Array, gradients: Float64Array, what: string) {
  const epsilon = 1e-6;
  for (const [i, value] of values.entries()) {
    values[i] = value + epsilon;
    const above = score();
    values[i] = value - epsilon;
    const below = score();
    values[i] = value;
    const expected = (above - below) / (2 * epsilon);
    assert.ok(Math.abs(gradients[i]! - expected) < 1e-7, `${what}[${i}]: ${gradients[i]}, not ${expected}`);
  }
}

for (const name of DECODER_NAMES) {
  const decoder = DECODERS[name];

  for (const [what, h, t] of [
    ["a link", 1, 2],
    ["a link of an entity to itself", 1, 1],
  ] as const) {
    test(`${name}: gradients of ${what} agree with central finite differences`, () => {
      const { rows, relations, phases } = randomRows(decoder, 1);
      const dRows = new Float64Array(rows.length);
      const dRelations = new Float64Array(relations.length);
      decoder.addGradients(1, rows, h * D, relations, D, t * D, D, dRows, dRelations);
      const score = () => decoder.score(rows, h * D, relations, D, rows, t * D, D);
      assertSlopes(score, rows, dRows, "rows");
      assertSlopes(score, relations, dRelations, "relations");
      // A translation from an entity to itself is as long wherever it is.
      const moves = name === "transe" && h === t ? [dRelations] : [dRows, dRelations];
      assert.ok(moves.every((gradients) => gradients.some((g) => Math.abs(g) > 0.01)));
      if (!decoder.hasPhases) return;
      const dPhases = new Float64Array(phases.length);
      addPhaseGradients(relations, 0, dRelations, 0, dPhases, 0, phases.length);
      const turned = () => {
        turn(phases, 0, relations, 0, phases.length);
        return score();
      };
      assertSlopes(turned, phases, dPhases, "phases");
    });
  }

  test(`${name} ${name === "distmult" ? "can't tell" : "tells"} a link from its reverse`, () => {
    const { rows, relations } = randomRows(decoder, 2);
    const there = decoder.score(rows, 0, relations, 0, rows, D, D);
    const back = decoder.score(rows, D, relations, 0, rows, 0, D);
    if (name === "distmult") assert.ok(Math.abs(there - back) < 1e-12, `${there}, ${back}`);
    else assert.ok(Math.abs(there - back) > 0.01, `${there}, ${back}`);
  });

  test(`${name}: the relation in the middle of two is one that the decoder may meet`, () => {
    const shape: RgcnShape = {
      entities: 1,
      relations: 3,
      dimensions: D,
      weights: "diagonal",
      bases: 0,
      decoder: name,
    };
    const vectors = relationVectors(shape, initialParameters(shape, 1));
    const mean = meanVector(shape, vectors, [0, 2]);
    for (let k = 0; k < D; k += 2) {
      if (decoder.hasPhases) {
        assert.ok(Math.abs(Math.hypot(mean[k]!, mean[k + 1]!) - 1) < 1e-6);
        // As far from one as from the other.
        const turnFrom = (r: number) =>
          mean[k]! * vectors[r * D + k]! + mean[k + 1]! * vectors[r * D + k + 1]!;
        assert.ok(Math.abs(turnFrom(0) - turnFrom(2)) < 1e-6);
      } else {
        assert.ok(Math.abs(mean[k]! - (vectors[k]! + vectors[2 * D + k]!) / 2) < 1e-6);
      }
    }
  });
}

test("what a translation or a rotation leads to is the likeliest tail, at the margin", () => {
  for (const name of ["transe", "rotate"] as const) {
    const decoder = DECODERS[name];
    const { rows, relations } = randomRows(decoder, 3);
    for (let k = 0; k < D; k += 2) {
      const [re, im] = [rows[k]!, rows[k + 1]!];
      const [rRe, rIm] = [relations[k]!, relations[k + 1]!];
      rows[D + k] = name === "transe" ? re + rRe : re * rRe - im * rIm;
      rows[D + k + 1] = name === "transe" ? im + rIm : re * rIm + im * rRe;
    }
    assert.ok(Math.abs(decoder.score(rows, 0, relations, 0, rows, D, D) - decoder.margin(D)) < 1e-12);
    assert.ok(decoder.score(rows, 0, relations, 0, rows, 2 * D, D) < decoder.margin(D) - 0.1);
    // A distance of zero has no direction, and no gradient that is no number.
    const dRows = new Float64Array(rows.length);
    decoder.addGradients(1, rows, 0, relations, 0, D, D, dRows, new Float64Array(relations.length));
    assert.ok(dRows.every((g) => Math.abs(g) <= D));
  }
});

test("rows of a model are scored as the decoder scores them, phases turned", () => {
  const shape: RgcnShape = {
    entities: ROWS,
    relations: RELATIONS,
    dimensions: D,
    weights: "diagonal",
    bases: 0,
    decoder: "rotate",
  };
  const parameters = initialParameters(shape, 1);
  const score = linkScorer(shape, { parameters, output: parameters.input });
  const vectors = Float32Array.from(parameters.decoder, Math.cos);
  assert.equal(parameters.decoder.length, (RELATIONS * D) / 2);
  let distance = 0;
  for (let k = 0; k < D / 2; k++) {
    const phase = parameters.decoder[D / 2 + k]!;
    const [re, im] = [parameters.input[2 * k]!, parameters.input[2 * k + 1]!];
    const [tRe, tIm] = [parameters.input[2 * D + 2 * k]!, parameters.input[2 * D + 2 * k + 1]!];
    distance += Math.hypot(
      re * vectors[D / 2 + k]! - im * Math.sin(phase) - tRe,
      re * Math.sin(phase) + im * vectors[D / 2 + k]! - tIm,
    );
  }
  assert.ok(Math.abs(score(0, 1, 2) - (DECODERS.rotate.margin(D) - distance)) < 1e-5);
});
