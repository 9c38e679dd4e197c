import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { test } from "node:test";
import { trainInThread } from "../../../src/engine/training/training-thread.ts";
import type { OddlinkError } from "../../../src/errors.ts";
import { DECODER_NAMES } from "../../../src/model/decoders/decoder.ts";
import { DECODERS, linkScorer, relationVectors } from "../../../src/model/decoders/decoders.ts";
import { buildEpoch, decodeEpoch, encodeEpoch } from "../../../src/model/epoch.ts";
import { embedUnknown } from "../../../src/model/rgcn.ts";
import { type EpochRequest, trainRequested } from "../../../src/model/training/epoch-training.ts";
import { train } from "../../../src/model/training/trainer.ts";
import type { TrainingGraph } from "../../../src/model/training/training-graph.ts";
import type { TrainingInput } from "../../../src/model/training/training-input.ts";
import { type TrainingOptions, trainingOptionsSchema } from "../../../src/model/training/training-options.ts";
import { snapshotOf, twoCommunities } from "../graphs.ts";

const small = twoCommunities({ users: 40, hosts: 40, links: 400 });
const options = trainingOptionsSchema.parse({ dimensions: 16, steps: 100, seed: 3 });
const epochOf = async (seed: number, chosen: Partial<TrainingOptions> = {}) => {
  const seeded = { ...options, ...chosen, seed };
  const model = await train(small.graph, seeded);
  return buildEpoch({ number: 1, trainedAtMs: 5, model, ...small, options: seeded });
};

const LEARNT = [
  { weights: "diagonal" as const },
  ...DECODER_NAMES.flatMap((decoder) => [{ decoder }, { decoder, dropout: 0.2 }]),
];
for (const chosen of LEARNT) {
  test(`training with ${JSON.stringify(chosen)} tells links within a community from links across`, async () => {
    const model = await train(small.graph, { ...options, ...chosen });
    assert.ok(Math.min(...model.losses) < model.losses[0]! - 0.1, "the loss falls");
    assert.ok(model.heldOut.lossAfter! < model.heldOut.lossBefore!);
    const score = linkScorer(model.shape, model);
    let wins = 0;
    let pairs = 0;
    for (let user = 0; user < 40; user++) {
      for (let host = 40; host < 80; host += 2) {
        // Hosts at even and odd places belong to the two communities, as users do.
        const inside = score(user, 0, host + (user % 2));
        const across = score(user, 0, host + 1 - (user % 2));
        wins += inside > across ? 1 : 0;
        pairs++;
      }
    }
    assert.ok(wins / pairs > 0.8, `${wins} of ${pairs}`);
  });
}

/** Hosts of which the first 40 log in to some of the last 20, and never the other way round. */
function clientsAndServers(): TrainingGraph {
  const links = Array.from({ length: 40 * 5 }, (_, i) => [i % 40, 40 + ((i * 7 + Math.floor(i / 40)) % 20)]);
  const sorted = links.sort((a, b) => a[0]! - b[0]! || a[1]! - b[1]!);
  return {
    entityCount: 60,
    entityKind: new Uint8Array(60),
    kindNames: ["host"],
    relationNames: ["sourceHost-targetHost"],
    linkFrom: Int32Array.from(sorted, ([from]) => from!),
    linkRelation: new Int32Array(sorted.length),
    linkTo: Int32Array.from(sorted, ([, to]) => to!),
    linkCount: new Float64Array(sorted.length).fill(1),
    linkWeak: new Float64Array(sorted.length),
    linkFailures: new Float64Array(sorted.length),
    linkFirstMs: Float64Array.from(sorted, (_, i) => (i * 7919) % 1000),
    linkLastMs: new Float64Array(sorted.length).fill(1000),
    watermarkMs: 1000,
  };
}

for (const decoder of DECODER_NAMES) {
  const tells = decoder === "distmult" ? "can't tell" : "tells";
  test(`${decoder}, trained on hosts that log in to servers, ${tells} such links from their reverse`, async () => {
    const graph = clientsAndServers();
    const model = await train(graph, { ...options, decoder });
    const score = linkScorer(model.shape, model);
    const lead = Array.from(
      graph.linkFrom,
      (from, link) => score(from, 0, graph.linkTo[link]!) - score(graph.linkTo[link]!, 0, from),
    );
    if (decoder === "distmult") assert.ok(lead.every((difference) => Math.abs(difference) < 1e-5));
    else assert.ok(lead.filter((difference) => difference > 0).length / lead.length > 0.9);
  });
}

test("dimensions that a decoder of pairs can't read are refused", async () => {
  await assert.rejects(train(small.graph, { ...options, dimensions: 7, decoder: "complex" }), {
    code: "TRAINING_FAILED",
    message: "training.decoder complex and rotate need an even number of training.dimensions",
  });
});

test("the same seed gives the same epoch, another seed another", async () => {
  assert.equal((await epochOf(3)).manifest.digest, (await epochOf(3)).manifest.digest);
  assert.notEqual((await epochOf(3)).manifest.digest, (await epochOf(4)).manifest.digest);
});

test("an epoch survives being stored, and one flipped byte is noticed wherever it is", async () => {
  const epoch = await epochOf(3);
  const bytes = encodeEpoch(epoch);
  assert.deepEqual(decodeEpoch(bytes), epoch);
  for (const place of [0, 9, 200, bytes.length >> 1, bytes.length - 1]) {
    const broken = Buffer.from(bytes);
    broken[place]! ^= 1;
    assert.throws(() => decodeEpoch(broken), { code: "EPOCH_CORRUPT" });
  }
  assert.throws(() => decodeEpoch(bytes.subarray(0, bytes.length - 5)), { code: "EPOCH_CORRUPT" });
});

test("an epoch names its decoder and dropout, unless there is nothing to choose it from: then its bytes are as they always were", async () => {
  const chosen = await epochOf(3, { decoder: "rotate", dropout: 0.2 });
  const decoded = decodeEpoch(encodeEpoch(chosen));
  assert.deepEqual(decoded, chosen);
  assert.equal(decoded.manifest.shape.decoder, "rotate");
  assert.equal(decoded.manifest.options.dropout, 0.2);
  assert.equal(decoded.parameters.decoder.length, 2 * 8);
  const bytes = encodeEpoch(await epochOf(3));
  assert.doesNotMatch(bytes.toString("utf8", 12, 12 + bytes.readUInt32LE(8)), /"decoder"|"dropout"/);
  assert.equal(decodeEpoch(bytes).manifest.shape.decoder, "distmult");
});

test("an epoch that was stored when manifests had less in them can still be used", async () => {
  const bytes = encodeEpoch(await epochOf(3));
  const end = 12 + bytes.readUInt32LE(8);
  const { manifest, entityNames } = JSON.parse(bytes.toString("utf8", 12, end));
  const { startedFrom: _startedFrom, gate: _gate, rolledBack: _rolledBack, ...earlier } = manifest;
  const {
    warmSteps: _warmSteps,
    halfLifeDays: _halfLifeDays,
    negatives: _negatives,
    ...options
  } = earlier.options;
  const { aucByFake: _aucByFake, ...heldOut } = earlier.heldOut;
  const headerOf = (digest: string) => ({ manifest: { ...earlier, options, heldOut, digest }, entityNames });
  const digest = createHash("sha256")
    .update(JSON.stringify(headerOf("")))
    .update(bytes.subarray(end))
    .digest("hex");
  const header = Buffer.from(JSON.stringify(headerOf(digest)));
  const length = Buffer.alloc(4);
  length.writeUInt32LE(header.length);
  const stored = Buffer.concat([bytes.subarray(0, 8), length, header, bytes.subarray(end)]);
  const decoded = decodeEpoch(stored);
  const { startedFrom, gate, rolledBack } = decoded.manifest;
  assert.deepEqual([startedFrom, gate, rolledBack], [null, null, null]);
  assert.equal(decoded.manifest.options.halfLifeDays, 0);
  assert.equal(decoded.manifest.options.negatives.degreeMatched, 0);
  assert.deepEqual(decoded.manifest.heldOut.aucByFake, {});
});

for (const decoder of DECODER_NAMES) {
  test(`${decoder}: an unknown user is embedded near the community of its neighbours, whatever their order`, async () => {
    const model = await train(small.graph, { ...options, decoder });
    const d = options.dimensions;
    const own = new Float32Array(d);
    for (let user = 0; user < 40; user++)
      for (let k = 0; k < d; k++) own[k]! += model.parameters.input[user * d + k]! / 40;
    // Messages to a user come against the link, hence from the inverse relations 2 and 3.
    const neighbours = [40, 42, 44, 46].map((row, i) => ({ message: 2 + (i % 2), row }));
    const embedding = embedUnknown(model.shape, model.parameters, model.hidden, own, neighbours);
    assert.deepEqual(
      embedUnknown(model.shape, model.parameters, model.hidden, own, neighbours.toReversed()),
      embedding,
    );
    const vectors = relationVectors(model.shape, model.parameters);
    const logit = (row: number) =>
      DECODERS[decoder].score(embedding, 0, vectors, 0, model.output, row * d, d);
    let wins = 0;
    for (let host = 48; host < 80; host += 2) wins += logit(host) > logit(host + 1) ? 1 : 0;
    assert.ok(wins >= 12, `${wins} of 16`);
  });
}

test("what is measured and scored has no dropout", async () => {
  const model = await train(small.graph, { ...options, dropout: 0.5, steps: 5 });
  const kept = model.output.filter((value) => value !== 0).length;
  assert.equal(kept, model.output.length);
});

const requestOf = (input: TrainingInput, changed: Partial<TrainingOptions> = {}): EpochRequest => ({
  number: 1,
  trainedAtMs: 5,
  snapshot: snapshotOf(input),
  options: { ...options, ...changed },
});

test("a worker thread trains the very same epoch", async () => {
  const steps: number[] = [];
  const inThread = await trainInThread(requestOf(small), { onProgress: ({ step }) => steps.push(step) });
  assert.deepEqual(inThread, await trainRequested(requestOf(small)));
  assert.deepEqual(
    steps,
    Array.from(inThread.manifest.losses, (_, i) => i + 1),
  );
});

test("training can be stopped", async () => {
  const abort = new AbortController();
  const training = trainInThread(requestOf(small, { steps: 100_000 }), {
    signal: abort.signal,
    onProgress: () => abort.abort(),
  });
  await assert.rejects(training, { code: "TRAINING_FAILED" });
});

test("nothing to train on is an error that says so, in a thread too", async () => {
  const empty = {
    ...small.graph,
    linkFrom: new Int32Array(0),
    linkTo: new Int32Array(0),
    linkRelation: new Int32Array(0),
    linkCount: new Float64Array(0),
    linkWeak: new Float64Array(0),
    linkFailures: new Float64Array(0),
    linkFirstMs: new Float64Array(0),
    linkLastMs: new Float64Array(0),
  };
  await assert.rejects(
    train(empty, options),
    (error: OddlinkError) => error.code === "TRAINING_FAILED" && /too few/.test(error.message),
  );
  await assert.rejects(trainInThread(requestOf({ ...small, graph: empty })), { code: "TRAINING_FAILED" });
});

test("a graph that does not fit into memory is refused with what it takes, what is there and what to lower", async () => {
  await assert.rejects(train(small.graph, options, { bytesMax: 100_000 }), {
    code: "TRAINING_FAILED",
    message:
      /^training on 400 links of 80 entities takes about \d+ MiB with training.dimensions 16 and training.bases 8, and 1 MiB are there: lower/,
  });
});

test("a link that was used of late counts for more than one that was not", async () => {
  const half = small.graph.linkFrom.length / 2;
  const days = (isOld: (link: number) => boolean) => ({
    ...small.graph,
    watermarkMs: 100 * 86_400_000,
    linkLastMs: small.graph.linkLastMs.map((_, link) => (isOld(link) ? 1 : 100) * 86_400_000),
  });
  const oldFirst = await train(
    days((link) => link < half),
    { ...options, steps: 10 },
  );
  const oldLast = await train(
    days((link) => link >= half),
    { ...options, steps: 10 },
  );
  assert.notDeepEqual(oldFirst.losses, oldLast.losses);
  const without = { ...options, steps: 10, halfLifeDays: 0 };
  assert.deepEqual(
    (
      await train(
        days((link) => link < half),
        without,
      )
    ).losses,
    (
      await train(
        days((link) => link >= half),
        without,
      )
    ).losses,
  );
});
