import assert from "node:assert/strict";
import { test } from "node:test";
import { ReferenceBackend } from "../../src/model/backends/reference.ts";
import { DECODER_NAMES } from "../../src/model/decoders/decoder.ts";
import { Random } from "../../src/model/random.ts";
import { initialParameters, PARAMETER_NAMES, type RgcnShape } from "../../src/model/rgcn.ts";
import { NO_DROPOUT } from "../../src/model/training/dropout.ts";

const ENTITIES = 7;
const RELATIONS = 2;

/** A small graph with every case: shared destinations, a node without links, both relations on one pair. */
const messages = {
  from: Int32Array.from([0, 1, 1, 2, 0, 5]),
  relation: Int32Array.from([0, 0, 1, 1, 1, 0]),
  to: Int32Array.from([3, 3, 3, 4, 4, 1]),
};

/** The gradients are taken over the second graph: a pass may not use what another graph left behind. */
const graphs = [{ from: messages.to, relation: messages.relation, to: messages.from }, messages];

const batch = {
  from: Int32Array.from([0, 1, 2, 0, 5, 3]),
  relation: Int32Array.from([0, 1, 1, 0, 1, 0]),
  to: Int32Array.from([3, 3, 4, 4, 6, 3]),
  label: Float32Array.from([1, 1, 1, 0, 0, 0]),
  weight: Float32Array.from([0.5, 1.5, 1, 0.5, 1.5, 1]),
};

const CASES = [
  { weights: "basis", decoder: "distmult", dropout: NO_DROPOUT },
  { weights: "diagonal", decoder: "distmult", dropout: NO_DROPOUT },
  ...DECODER_NAMES.map((decoder) => ({
    weights: "basis" as const,
    decoder,
    dropout: { rate: 0.3, seed: 1 },
  })),
] as const;

for (const { weights, decoder, dropout } of CASES) {
  const shape: RgcnShape = {
    entities: ENTITIES,
    relations: RELATIONS,
    dimensions: 6,
    weights,
    bases: weights === "basis" ? 3 : 0,
    decoder,
  };
  const options = { learningRate: 0.01, l2: 0.05, clipNorm: 1, dropout };
  const name = `${decoder}, ${weights} weights, dropout ${dropout.rate}`;

  test(`${name}: every gradient agrees with central finite differences`, () => {
    const backend = new ReferenceBackend(shape, initialParameters(shape, 11), graphs, options);
    const random = new Random(3, "biases");
    for (const name of ["bias1", "bias2"] as const) {
      backend.values[name].forEach((_, i, values) => {
        values[i] = random.nextWithin(0.5);
      });
    }
    const gradients = Object.fromEntries(
      Object.entries(backend.lossAndGradients(batch, 1).gradients).map(([name, values]) => [
        name,
        values.slice(),
      ]),
    );
    const epsilon = 1e-5;
    let compared = 0;
    for (const name of PARAMETER_NAMES) {
      const values = backend.values[name];
      let largest = 0;
      for (let i = 0; i < values.length; i++) {
        const value = values[i]!;
        values[i] = value + epsilon;
        const above = backend.lossAndGradients(batch, 1).loss;
        values[i] = value - epsilon;
        const below = backend.lossAndGradients(batch, 1).loss;
        values[i] = value;
        const expected = (above - below) / (2 * epsilon);
        const actual = gradients[name]![i]!;
        const error = Math.abs(actual - expected) / Math.max(1e-6, Math.abs(actual) + Math.abs(expected));
        assert.ok(
          error < 1e-4 || Math.abs(actual - expected) < 1e-9,
          `${name}[${i}]: ${actual}, not ${expected}`,
        );
        largest = Math.max(largest, Math.abs(actual));
        compared++;
      }
      if (values.length > 0) assert.ok(largest > 1e-6, `${name} has no gradient at all`);
    }
    assert.ok(compared > 100);
  });

  test(`${name}: steps lower the loss`, () => {
    const backend = new ReferenceBackend(shape, initialParameters(shape, 5), graphs, options);
    const first = backend.step(batch, 0);
    let last = first;
    for (let i = 0; i < 50; i++) last = backend.step(batch, 0);
    assert.ok(last < 0.6 * first, `${first} -> ${last}`);
  });
}
