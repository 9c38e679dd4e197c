import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  type Decoder,
  distMult,
  rotatEAsShipped,
  sigmoid,
  transE,
  transEAsShipped,
} from "../../../src/evaluation/notebook/decoders.ts";
import { encode, type Masks } from "../../../src/evaluation/notebook/encoder.ts";
import { messagesOf } from "../../../src/evaluation/notebook/messages.ts";
import {
  initialParameters,
  type Parameters,
  parameterCount,
} from "../../../src/evaluation/notebook/parameters.ts";
import {
  linkProbability,
  lossOf,
  NOTEBOOK,
  sample,
  trainNotebook,
} from "../../../src/evaluation/notebook/training.ts";
import { TripleRows, trainingRows } from "../../../src/evaluation/notebook/triples.ts";
import { Random } from "../../../src/model/random.ts";

const SMALL = { ...NOTEBOOK, dimensions: 8, positives: 200, epochs: 5 };

/** Two offices of ten hosts, each with a server of its own that all its hosts log in to. */
function offices(): TripleRows {
  const rows = new TripleRows();
  for (const office of ["north", "south"]) {
    for (let i = 0; i < 10; i++) {
      for (let n = 0; n <= i; n++) rows.add(`${office} ${i}`, "", `${office} server`);
    }
  }
  return rows;
}

describe("rows", () => {
  test("keep how often a triple comes, and self logins", () => {
    const rows = new TripleRows();
    for (const [s, t] of [
      ["a", "b"],
      ["b", "a"],
      ["a", "b"],
      ["a", "a"],
    ] as const) {
      rows.add(s, "", t);
    }
    const training = trainingRows(rows, () => true);
    assert.deepEqual([...training.rows], [0, 1, 0, 2]);
    assert.deepEqual([...training.counts], [2, 1, 1]);
    assert.equal(training.nodeCount, 2);
  });

  test("of a part know only the part's hosts and relations", () => {
    const rows = new TripleRows();
    rows.add("new", "Kerberos", "b");
    rows.add("a", "NTLM", "b");
    const training = trainingRows(rows, (row) => row === 1);
    assert.deepEqual([training.nodeCount, training.relationCount], [2, 1]);
    assert.deepEqual([...training.nodeOf], [-1, 1, 0]);
    assert.deepEqual([...training.relationOf], [-1, 0]);
  });
});

test("messages are weighted by all copies that lead to a target, whatever their relation", () => {
  const messages = messagesOf(3, 2, {
    sources: Int32Array.of(0, 1, 0, 1),
    relations: Int32Array.of(0, 1, 0, 0),
    targets: Int32Array.of(2, 2, 1, 2),
    counts: Float64Array.of(3, 4, 7, 1),
  });
  assert.deepEqual([...messages.groupTargets], [1, 2, 2]);
  assert.deepEqual([...messages.groupRelations], [0, 0, 1]);
  assert.deepEqual([...messages.groupStarts], [0, 1, 3, 4]);
  assert.deepEqual([...messages.edgeSources], [0, 0, 1, 1]);
  assert.deepEqual([...messages.edgeWeights], [1, 3 / 8, 1 / 8, 4 / 8]);
});

test("the notebook's run had 351,616 parameters", () => {
  assert.equal(parameterCount({ nodes: 10_888, relations: 1, dimensions: 32 }), 351_616);
  const shape = { nodes: 5, relations: 3, dimensions: 4 };
  const parameters = initialParameters(shape, new Random(1, "test"));
  const count = Object.values(parameters).reduce((sum, array) => sum + array.length, 0);
  assert.equal(count, parameterCount(shape));
});

test("gradients are what a small change of each parameter does to the loss", () => {
  const shape = { nodes: 6, relations: 2, dimensions: 4 };
  const random = new Random(7, "test");
  const parameters = initialParameters(shape, random);
  const edges = {
    sources: Int32Array.of(0, 1, 2, 3, 4, 0, 1, 5),
    relations: Int32Array.of(0, 1, 0, 1, 0, 0, 1, 1),
    targets: Int32Array.of(1, 2, 3, 3, 5, 2, 2, 0),
  };
  const messages = messagesOf(shape.nodes, shape.relations, edges);
  const mask = () => Float32Array.from({ length: 24 }, () => (random.nextFloat() < 0.2 ? 0 : 1.25));
  const masks: Masks = { hidden: mask(), output: mask() };
  const loss = () => lossOf(shape, parameters, messages, masks, edges, 0.01);
  const { gradients } = loss();
  const step = 1 / 256;
  for (const name of Object.keys(parameters) as (keyof Parameters)[]) {
    const values = parameters[name];
    let differences = 0;
    let size = 0;
    for (let i = 0; i < values.length; i++) {
      const value = values[i]!;
      values[i] = value + step;
      const above = loss().loss;
      values[i] = value - step;
      const below = loss().loss;
      values[i] = value;
      const expected = (above - below) / (2 * step);
      differences += (gradients[name][i]! - expected) ** 2;
      size += expected ** 2;
    }
    assert.ok(size > 0, `${name} matters`);
    assert.ok(Math.sqrt(differences / size) < 0.02, `${name}: off by ${Math.sqrt(differences / size)}`);
  }
});

test("a host that only sends gets nothing but its own term: messages go one way", () => {
  const shape = { nodes: 3, relations: 1, dimensions: 4 };
  const parameters = initialParameters(shape, new Random(1, "test"));
  const output = (targets: readonly number[]) =>
    encode(
      shape,
      parameters,
      messagesOf(3, 1, {
        sources: Int32Array.of(0, 0),
        relations: Int32Array.of(0, 0),
        targets: Int32Array.from(targets),
      }),
      null,
    ).output;
  assert.deepEqual(output([1, 1]).subarray(0, 4), output([2, 1]).subarray(0, 4));
  assert.notDeepEqual(output([1, 1]).subarray(8, 12), output([2, 1]).subarray(8, 12));
});

test("of a positive and its fake one end is the same, and the relation", () => {
  const rows = trainingRows(offices(), () => true);
  const { sources, targets } = sample(rows, 1000, new Random(1, "test"));
  let heads = 0;
  for (let i = 0; i < 1000; i++) {
    assert.ok(sources[i] === sources[1000 + i] || targets[i] === targets[1000 + i]);
    if (sources[i] !== sources[1000 + i]) heads++;
  }
  assert.ok(heads > 400 && heads < 600, `${heads} heads replaced`);
  // Drawn by rows: the host with ten logins comes about ten times as often as the one with one.
  const ofHost = (node: number) => sources.subarray(0, 1000).filter((source) => source === node).length;
  assert.ok(ofHost(rows.nodeOf[10]!) > 4 * ofHost(rows.nodeOf[0]!));
});

test("training lowers the loss, tells true links from made up ones, and gives the same for the same seed", async () => {
  const rows = trainingRows(offices(), () => true);
  const train = (seed: number, epochs = 10) =>
    trainNotebook(rows, seed, { ...SMALL, learningRate: 0.02, epochs }, async () => {});
  const [model, same, other, early] = [await train(1), await train(1), await train(2), await train(1, 1)];
  assert.deepEqual(model.output, same.output);
  assert.notDeepEqual(model.output, other.output);
  assert.ok(model.loss < early.loss, `${early.loss} to ${model.loss}`);
  const mean = (links: readonly (readonly [number, number])[]) =>
    links.reduce((sum, [s, t]) => sum + linkProbability(model, s, 0, t), 0) / links.length;
  const node = (all: number) => rows.nodeOf[all]!;
  const trueLinks = Array.from(rows.sources, (s, i) => [s, rows.targets[i]!] as const);
  const madeUp = Array.from({ length: 9 }, (_, i) => [node(i === 0 ? 0 : i + 1), node(12)] as const);
  assert.ok(mean(trueLinks) > mean(madeUp) + 0.2, `${mean(trueLinks)} and ${mean(madeUp)}`);
});

test("training can be stopped at any step", async () => {
  const rows = trainingRows(offices(), () => true);
  const stopped = trainNotebook(rows, 1, SMALL, async (step) => {
    if (step === 3) throw new Error("enough");
  });
  await assert.rejects(stopped, /enough/);
});

describe("decoders", () => {
  const random = new Random(1, "decoders");
  const output = Float32Array.from({ length: 40 }, () => random.nextWithin(2));
  const vector = Float32Array.from({ length: 4 }, () => random.nextWithin(1));
  const probabilities = (decoder: Decoder) =>
    Array.from({ length: 100 }, (_, i) => sigmoid(decoder(output, Math.floor(i / 10), vector, 0, i % 10, 4)));

  test("DistMult can't tell who logs in where", () => {
    assert.ok(Math.abs(distMult(output, 1, vector, 0, 2, 4) - distMult(output, 2, vector, 0, 1, 4)) < 1e-6);
  });

  test("TransE as shipped finds every link likely, RotatE as shipped none", () => {
    assert.ok(probabilities(transEAsShipped).every((p) => p >= 0.5));
    assert.ok(probabilities(rotatEAsShipped).every((p) => p <= 0.5));
  });

  test("TransE as it is meant finds near ends likely and far ones not", () => {
    const meant = probabilities(transE(5));
    assert.ok(Math.min(...meant) < 0.5 && Math.max(...meant) > 0.5);
  });
});
