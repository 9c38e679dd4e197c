import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { memory } from "@tensorflow/tfjs-core";
import type { BackendOptions, MessageGraph, TrainingBatch } from "../../src/model/backends/backend.ts";
import { loadBackend } from "../../src/model/backends/backends.ts";
import { createReferenceBackend } from "../../src/model/backends/reference.ts";
import { createSimdBackend } from "../../src/model/backends/simd/simd.ts";
import { DECODER_NAMES, type DecoderName } from "../../src/model/decoders/decoder.ts";
import { DECODERS } from "../../src/model/decoders/decoders.ts";
import { Random } from "../../src/model/random.ts";
import { initialParameters, PARAMETER_NAMES, type RgcnShape } from "../../src/model/rgcn.ts";
import { NO_DROPOUT } from "../../src/model/training/dropout.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const ENTITIES = 301;
const RELATIONS = 5;
const LINKS = 2000;
const BATCH_LINKS = 600;
const STEPS = 10;
/** The port promises that much of the loss. */
const LOSS_TOLERANCE = 1e-4;
/** And of what was trained, as a share of its length. */
const EMBEDDINGS_TOLERANCE = 1e-3;
const OPTIONS: BackendOptions = {
  learningRate: 0.02,
  l2: 0.1,
  clipNorm: 1,
  batchLinksMax: BATCH_LINKS,
  threads: 1,
  dropout: NO_DROPOUT,
};
const DROPOUT = { rate: 0.2, seed: 3 };

/** A few hubs, many entities with one link, some with none: those after `ENTITIES - 20`. */
function randomLinks(): (readonly [number, number, number])[] {
  const random = new Random(5, "links");
  const end = (): number => Math.floor((ENTITIES - 20) * random.nextFloat() ** 3);
  const links = new Map<string, readonly [number, number, number]>();
  while (links.size < LINKS) {
    const link = [end(), random.nextInt(RELATIONS), end()] as const;
    links.set(link.join(" "), link);
  }
  return [...links.values()];
}

const links = randomLinks();
const graphOf = (some: typeof links): MessageGraph => ({
  from: Int32Array.from(some, ([from]) => from),
  relation: Int32Array.from(some, ([, relation]) => relation),
  to: Int32Array.from(some, ([, , to]) => to),
});
const graphs = [graphOf(links), graphOf(links.slice(BATCH_LINKS / 2))];

/** True links of those that the second graph lacks, and as many fakes. */
function batchOf(step: number): TrainingBatch {
  const random = new Random(step, "batch");
  const half = BATCH_LINKS / 2;
  const asked = Array.from({ length: BATCH_LINKS }, (_, i) => links[i % half]!);
  return {
    from: Int32Array.from(asked, ([from]) => from),
    relation: Int32Array.from(asked, ([, relation]) => relation),
    to: Int32Array.from(asked, ([, , to], i) => (i < half ? to : random.nextInt(ENTITIES))),
    label: Float32Array.from(asked, (_, i) => (i < half ? 1 : 0)),
    weight: Float32Array.from(asked, (_, i) => 0.5 + (i % half) / half),
  };
}

function shapeOf(
  dimensions: number,
  weights: RgcnShape["weights"],
  decoder: DecoderName = "distmult",
): RgcnShape {
  const bases = weights === "basis" ? 3 : 0;
  return { entities: ENTITIES, relations: RELATIONS, dimensions, weights, bases, decoder };
}

type Case = { readonly shape: RgcnShape; readonly dropout: BackendOptions["dropout"] };

/** What is no multiple of four is padded by some; and of 6 and 10 dimensions, the half. */
const CASES: readonly Case[] = [
  ...(["basis", "diagonal"] as const).flatMap((weights) =>
    [5, 12, 32].map((dimensions) => ({ shape: shapeOf(dimensions, weights), dropout: NO_DROPOUT })),
  ),
  ...DECODER_NAMES.flatMap((decoder) =>
    (DECODERS[decoder].isComplex ? [6, 10, 32] : [5, 12, 32]).flatMap((dimensions) => {
      const shape = shapeOf(dimensions, dimensions < 8 ? "diagonal" : "basis", decoder);
      const dropped = { shape, dropout: DROPOUT };
      return decoder === "distmult" ? [dropped] : [{ shape, dropout: NO_DROPOUT }, dropped];
    }),
  ),
];

/** Each as users ask for it. Native TensorFlow is rarely there: `node scripts/native-tensorflow.ts` runs this file with it. */
const OTHERS = [
  { name: "simd", backend: "simd", device: "js" },
  { name: "tfjs in JavaScript", backend: "tfjs", device: "js" },
  { name: "tfjs on native TensorFlow", backend: "tfjs", device: "cpu", needs: "@tensorflow/tfjs-node" },
  { name: "tfjs on a GPU", backend: "tfjs", device: "gpu", needs: "@tensorflow/tfjs-node-gpu" },
] as const;

for (const { name: backendName, backend, device, ...others } of OTHERS) {
  const skip = "needs" in others && !isInstalled(others.needs) && `${others.needs} is not installed`;
  for (const { shape, dropout } of CASES) {
    const { dimensions, weights, decoder } = shape;
    // In JavaScript alone these take a minute, and show nothing more.
    const isLong = backend === "tfjs" && dimensions === 32 && (decoder !== "distmult" || dropout.rate > 0);
    if (isLong && device === "js") continue;
    const name = `${decoder} of ${dimensions} dimensions with ${weights} weights${dropout.rate > 0 ? " and dropout" : ""}`;
    test(`${name}: ${backendName} gives the losses and embeddings of the reference`, { skip }, async (t) => {
      const start = initialParameters(shape, 11);
      const options = { ...OPTIONS, dropout };
      const reference = createReferenceBackend(shape, start, graphs, options);
      const other = (await loadBackend(backend, device))(shape, start, graphs, options);
      t.after(() => other.close());
      const losses: number[] = [];
      for (let step = 1; step <= STEPS; step++) {
        const expected = reference.step(batchOf(step), 1);
        const loss = other.step(batchOf(step), 1);
        assert.ok(Math.abs(loss - expected) < LOSS_TOLERANCE, `step ${step}: ${loss}, not ${expected}`);
        losses.push(loss);
      }
      assert.ok(losses.at(-1)! < losses[0]! - 0.05, `nothing was learnt: ${losses}`);
      assertClose(other.forward().output, reference.forward().output, "output");
      assertClose(other.forward().hidden, reference.forward().hidden, "hidden");
      for (const name of PARAMETER_NAMES)
        assertClose(other.parameters()[name], reference.parameters()[name], name);
    });
  }
}

test("a device that is not there is refused with what to do, and no other takes its place", async () => {
  for (const [device, name] of [
    ["gpu", "@tensorflow/tfjs-node-gpu"],
    ["cpu", "@tensorflow/tfjs-node"],
  ] as const) {
    // Where it is installed there is nothing to refuse.
    if (isInstalled(name)) continue;
    await assert.rejects(loadBackend("tfjs", device), {
      code: "TRAINING_FAILED",
      message: `training.device ${device} can't be used: npm install ${name} gives it`,
    });
  }
});

test("TensorFlow.js keeps nothing of a step but the trained numbers", async (t) => {
  const shape = shapeOf(12, "basis", "rotate");
  const options = { ...OPTIONS, dropout: DROPOUT };
  const backend = (await loadBackend("tfjs", "js"))(shape, initialParameters(shape, 1), graphs, options);
  t.after(() => backend.close());
  backend.step(batchOf(1), 0);
  const { numTensors } = memory();
  backend.step(batchOf(2), 1);
  backend.forward();
  assert.equal(memory().numTensors, numTensors);
});

for (const [decoder, dropout] of [
  ["distmult", NO_DROPOUT],
  ["rotate", DROPOUT],
] as const) {
  test(`how many threads share a step changes nothing, to the last bit: ${decoder}, dropout ${dropout.rate}`, () => {
    const shape = shapeOf(32, "basis", decoder);
    const start = initialParameters(shape, 11);
    const runs = [1, 2, 3, 4, 9].map((threads) => {
      const simd = createSimdBackend(shape, start, graphs, { ...OPTIONS, threads, dropout });
      const losses = Array.from({ length: STEPS }, (_, i) => simd.step(batchOf(i), i % 2));
      const { output } = simd.forward();
      const parameters = simd.parameters();
      simd.close();
      return { losses, output, parameters };
    });
    for (const run of runs.slice(1)) assert.deepEqual(run, runs[0]);
  });
}

test("a batch that is larger than was said, and a graph that no memory holds, are refused", () => {
  const shape = shapeOf(4, "basis");
  const start = initialParameters(shape, 1);
  const simd = createSimdBackend(shape, start, graphs, { ...OPTIONS, batchLinksMax: 10 });
  assert.throws(() => simd.step(batchOf(1), 0), /a batch of 600 links, there is room for 10/);
  simd.close();
  assert.throws(
    () => createSimdBackend({ ...shape, entities: 1_000_000, dimensions: 512 }, start, graphs, OPTIONS),
    {
      code: "TRAINING_FAILED",
      message: /needs \d+ MiB to train on, .* 4,095; a shorter window\.days/,
    },
  );
});

test("the kernels that run are those whose source is here", { timeout: 120_000 }, (t) => {
  const compiled = join(temporaryFolder(t), "compiled-kernels.ts");
  execFileSync(process.execPath, [join(ROOT, "scripts", "kernels.ts"), compiled], { stdio: "inherit" });
  const kept = readFileSync(join(ROOT, "src", "model", "backends", "simd", "compiled-kernels.ts"));
  assert.ok(readFileSync(compiled).equals(kept), "npm run kernels compiles them anew");
});

function isInstalled(name: string): boolean {
  return existsSync(join(ROOT, "node_modules", name));
}

/** As a whole: where a hidden unit is all but zero, single precision may see it on the other side, and its entity learns otherwise. */
function assertClose(actual: Float32Array, expected: Float32Array, what: string): void {
  assert.equal(actual.length, expected.length);
  const length = Math.hypot(...expected);
  const error = Math.hypot(...expected.map((value, i) => actual[i]! - value));
  assert.ok(error <= EMBEDDINGS_TOLERANCE * length, `${what}: off by ${error} of ${length}`);
}
