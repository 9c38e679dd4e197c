import assert from "node:assert/strict";
import { test } from "node:test";
import { linkScorer } from "../../../src/model/decoders/decoders.ts";
import { buildEpoch, type Epoch } from "../../../src/model/epoch.ts";
import { initialParameters } from "../../../src/model/rgcn.ts";
import { tailProbability } from "../../../src/model/tail.ts";
import { train } from "../../../src/model/training/trainer.ts";
import type { TrainingInput } from "../../../src/model/training/training-input.ts";
import { trainingOptionsSchema } from "../../../src/model/training/training-options.ts";
import { startingPoint, warmParameters } from "../../../src/model/training/warm-start.ts";
import { twoCommunities } from "../graphs.ts";

const small = twoCommunities({ users: 40, hosts: 40, links: 400 });
const options = trainingOptionsSchema.parse({ dimensions: 16, steps: 100, seed: 3 });

async function epochOf(input: TrainingInput, seed: number, previous?: Epoch): Promise<Epoch> {
  const seeded = { ...options, seed };
  const start = previous && startingPoint(input, previous);
  const model = await train(input.graph, seeded, { start });
  return buildEpoch({ number: 1, trainedAtMs: 5, model, ...input, options: seeded, previous });
}

/** Tail probability of every pair of a user and a host, as the link signal has it. */
function probabilities(epoch: Epoch): number[] {
  const { manifest } = epoch;
  const score = linkScorer(manifest.shape, epoch);
  const tail = manifest.calibration["user-sourceHost"]!;
  return Array.from({ length: 40 * 40 }, (_, i) =>
    tailProbability(tail, -score(Math.floor(i / 40), 0, 40 + (i % 40))),
  );
}

function rankCorrelation(a: readonly number[], b: readonly number[]): number {
  const ranks = (values: readonly number[]): number[] => {
    const order = values.map((_, i) => i).sort((i, j) => values[i]! - values[j]! || i - j);
    const ranked: number[] = [];
    order.forEach((i, rank) => {
      ranked[i] = rank - (values.length - 1) / 2;
    });
    return ranked;
  };
  const [x, y] = [ranks(a), ranks(b)];
  const product = (u: readonly number[], v: readonly number[]) =>
    u.reduce((sum, value, i) => sum + value * v[i]!, 0);
  return product(x, y) / Math.sqrt(product(x, x) * product(y, y));
}

test("an epoch that goes on from another is no worse on held-out links, and orders links as that one did", async () => {
  const before = await epochOf(small, 3);
  const after = await epochOf(small, 3, before);
  assert.equal(after.manifest.startedFrom, before.manifest.digest);
  assert.equal(before.manifest.startedFrom, null);
  assert.ok(after.manifest.losses.length <= options.warmSteps);
  assert.ok(after.manifest.heldOut.lossAfter! <= before.manifest.heldOut.lossAfter!);
  const warm = rankCorrelation(probabilities(before), probabilities(after));
  const cold = rankCorrelation(probabilities(before), probabilities(await epochOf(small, 4)));
  assert.ok(warm > 0.9, `${warm}`);
  assert.ok(cold < warm, `${cold}, ${warm}`);
});

test("the same earlier epoch gives the same epoch", async () => {
  const before = await epochOf(small, 3);
  const digest = async () => (await epochOf(small, 3, before)).manifest.digest;
  assert.equal(await digest(), await digest());
});

test("what the epoch knows is found by name and kind, what is new begins at its neighbours, or at the seeded value", async () => {
  const before = await epochOf(small, 3);
  const { graph } = small;
  const entityNames = small.entityNames.map((name) =>
    name === "U1" || name === "U2" ? `new ${name}` : name,
  );
  const renamed = { entityNames, graph: { ...graph, relationNames: ["user-sourceHost", "user-elsewhere"] } };
  const start = startingPoint(renamed, before);
  assert.deepEqual([...start.entityRows.subarray(0, 4)], [0, -1, -1, 3]);
  assert.deepEqual([...start.relationRows], [0, -1]);
  const { shape, relationNames } = before.manifest;
  const d = shape.dimensions;
  const trained = Int32Array.from(graph.linkFrom.keys()).filter((link) => graph.linkFrom[link] !== 2);
  const warm = warmParameters(start, renamed.graph, trained, shape, 9);
  const seeded = initialParameters(shape, 9);
  const row = (array: Float32Array, i: number) => [...array.subarray(i * d, (i + 1) * d)];
  assert.deepEqual(row(warm.input, 3), row(before.parameters.input, 3));
  assert.deepEqual(row(warm.input, 2), row(seeded.input, 2));
  const peers = trained.filter((link) => graph.linkFrom[link] === 1).length;
  assert.ok(peers > 0 && relationNames.length === 2);
  let mean = 0;
  for (const link of trained)
    if (graph.linkFrom[link] === 1) mean += before.parameters.input[graph.linkTo[link]! * d]! / peers;
  assert.ok(Math.abs(warm.input[d]! - mean) < 1e-6);
  assert.deepEqual(row(warm.decoder, 0), row(before.parameters.decoder, 0));
  assert.deepEqual(row(warm.decoder, 1), row(seeded.decoder, 1));
  assert.deepEqual(warm.self1, before.parameters.self1);
  const { bases } = shape;
  const coefficients = (array: Float32Array, i: number) => [...array.subarray(i * bases, (i + 1) * bases)];
  for (const message of [0, 2])
    assert.deepEqual(
      coefficients(warm.coefficients2, message),
      coefficients(before.parameters.coefficients2, message),
    );
});

test("an epoch of another decoder is not gone on from, one of the same is, with relations of its size", async () => {
  const rotate = { ...options, decoder: "rotate", steps: 20, warmSteps: 20 } as const;
  const first = await train(small.graph, rotate);
  const before = buildEpoch({ number: 1, trainedAtMs: 5, model: first, ...small, options: rotate });
  const start = startingPoint(small, before);
  const trained = Int32Array.from(small.graph.linkFrom.keys());
  const warm = warmParameters(start, small.graph, trained, before.manifest.shape, 9);
  assert.deepEqual(warm.decoder, before.parameters.decoder);
  assert.equal((await train(small.graph, rotate, { start })).isWarm, true);
  for (const decoder of ["distmult", "complex"] as const)
    assert.equal((await train(small.graph, { ...rotate, decoder }, { start })).isWarm, false);
});

test("an epoch of another shape is not gone on from", async () => {
  const before = await epochOf(small, 3);
  const smaller = { ...options, dimensions: 8, steps: 5 };
  const model = await train(small.graph, smaller, { start: startingPoint(small, before) });
  assert.equal(model.isWarm, false);
  assert.equal(model.losses.length, 5);
});
