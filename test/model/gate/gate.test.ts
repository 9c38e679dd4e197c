import assert from "node:assert/strict";
import { test } from "node:test";
import { linkScorer } from "../../../src/model/decoders/decoders.ts";
import { buildEpoch, type Epoch } from "../../../src/model/epoch.ts";
import { GATE_LINKS_MIN, judge } from "../../../src/model/gate/gate.ts";
import { runningModel } from "../../../src/model/gate/gate-models.ts";
import { GATE_FAKES } from "../../../src/model/gate/gate-verdict.ts";
import { type TrainedModel, train } from "../../../src/model/training/trainer.ts";
import type { TrainingGraph } from "../../../src/model/training/training-graph.ts";
import type { TrainingInput } from "../../../src/model/training/training-input.ts";
import { trainingOptionsSchema } from "../../../src/model/training/training-options.ts";
import { startingPoint } from "../../../src/model/training/warm-start.ts";
import { twoCommunities } from "../graphs.ts";

const options = trainingOptionsSchema.parse({ dimensions: 16, steps: 100, seed: 3 });
/** Links are first seen at 0 to 999: the running epoch has seen those before this, and the newest tenth comes after it. */
const RUNNING_AT_MS = 850;
const now = twoCommunities({ users: 40, hosts: 40, links: 500 });

function seenBy({ graph, entityNames }: TrainingInput, timeMs: number): TrainingInput {
  const links = Array.from(graph.linkFrom.keys()).filter((link) => graph.linkFirstMs[link]! <= timeMs);
  const ints = (of: Int32Array): Int32Array => Int32Array.from(links, (link) => of[link]!);
  const numbers = (of: Float64Array): Float64Array => Float64Array.from(links, (link) => of[link]!);
  return {
    entityNames,
    graph: {
      ...graph,
      linkFrom: ints(graph.linkFrom),
      linkTo: ints(graph.linkTo),
      linkRelation: ints(graph.linkRelation),
      linkCount: numbers(graph.linkCount),
      linkFirstMs: numbers(graph.linkFirstMs),
      linkLastMs: numbers(graph.linkLastMs),
    },
  };
}

async function runningEpoch(input = seenBy(now, RUNNING_AT_MS)): Promise<Epoch> {
  const model = await train(input.graph, options);
  return buildEpoch({ number: 7, trainedAtMs: RUNNING_AT_MS, model, ...input, options });
}

/** The same model with its embeddings in each other's places, as the cards of two halves of a pack. */
function shuffled(model: TrainedModel): TrainedModel {
  const d = model.shape.dimensions;
  const half = model.output.length / d / 2;
  const other = (row: number): number => (row % 2 === 0 ? row / 2 : half + (row - 1) / 2);
  return {
    ...model,
    output: model.output.map((_, i) => model.output[other(Math.floor(i / d)) * d + (i % d)]!),
  };
}

test("an epoch that goes on from the running one passes, compared by every kind of fake on links unseen by both", async () => {
  const epoch = await runningEpoch();
  const model = await train(now.graph, options, { start: startingPoint(now, epoch) });
  const verdict = judge(now.graph, model, runningModel(now, epoch), options);
  assert.equal(verdict.isAccepted, true, verdict.reason);
  assert.match(verdict.reason, /^no worse than epoch 7 on 50 unseen links: mean AUC [+-]\d\.\d{3}$/);
  assert.deepEqual(Object.keys(verdict.aucByFake).sort(), [...GATE_FAKES].sort());
  assert.equal(verdict.links, 50);
  assert.deepEqual(judge(now.graph, model, runningModel(now, epoch), options), verdict);
});

test("an epoch of one step is rejected, and so is one whose embeddings were mixed up, with numbers and the reason", async () => {
  const epoch = await runningEpoch();
  const good = await train(now.graph, options, { start: startingPoint(now, epoch) });
  for (const worse of [await train(now.graph, { ...options, steps: 1 }), shuffled(good)]) {
    const verdict = judge(now.graph, worse, runningModel(now, epoch), options);
    assert.equal(verdict.isAccepted, false);
    assert.match(
      verdict.reason,
      /^it tells 50 unseen links from fakes worse than epoch 7: mean AUC 0\.\d{3} lower, 2 standard errors are 0\.\d{3}/,
    );
    assert.ok(verdict.difference! < -2 * verdict.standardError! && verdict.standardError! > 0);
    const { running, candidate } = verdict.aucByFake.target!;
    assert.ok(running > candidate + 0.1, `${running}, ${candidate}`);
  }
});

test("an entity or relation that the running epoch does not know is embedded as scoring does it", async () => {
  const known = await runningEpoch();
  const names = known.entityNames.map((name, i) => (i < 20 ? `other ${name}` : name));
  const relationNames = ["user-sourceHost", "user-elsewhere"];
  const unknown: Epoch = {
    ...known,
    entityNames: names,
    manifest: {
      ...known.manifest,
      relationNames,
      calibration: { "user-sourceHost": known.manifest.calibration["user-sourceHost"]! },
    },
  };
  const running = runningModel(now, unknown);
  assert.equal(running.entityRows.filter((row) => row < 0).length, 20);
  const model = await train(now.graph, options, { start: startingPoint(now, known) });
  const verdict = judge(now.graph, model, running, options);
  const { running: auc } = verdict.aucByFake.source!;
  assert.ok(auc > 0.6, `${auc}`);
  // What it has no calibration for counts to no drift.
  assert.ok(verdict.drift.every(({ links }) => links > 0 && links < verdict.links));
});

test("with few unseen links there is too little to compare, and the epoch passes", async () => {
  const epoch = await runningEpoch();
  const late = { ...epoch, manifest: { ...epoch.manifest, trainedAtMs: 970 } };
  const model = await train(now.graph, { ...options, steps: 1 });
  const verdict = judge(now.graph, model, runningModel(now, late), options);
  assert.ok(verdict.links > 0 && verdict.links < GATE_LINKS_MIN);
  assert.equal(verdict.isAccepted, true);
  assert.match(
    verdict.reason,
    /^too little to compare: \d+ links are newer than epoch 7 and held out, 30 are needed$/,
  );
});

test("an epoch under which the unseen links have drifted to where thresholds lie is rejected, though it ranks them as well", async () => {
  const epoch = await runningEpoch();
  const model: TrainedModel = {
    ...(await train(now.graph, options, { start: startingPoint(now, epoch) })),
    output: epoch.output,
    parameters: epoch.parameters,
  };
  const { graph } = now;
  const score = linkScorer(model.shape, model);
  const logit = (link: number): number =>
    score(graph.linkFrom[link]!, graph.linkRelation[link]!, graph.linkTo[link]!);
  const links = Array.from(graph.linkFrom.keys());
  const unseen = links.filter((link) => graph.linkFirstMs[link]! >= 900).map(logit);
  const high = unseen.sort((a, b) => b - a)[10]!;
  // A few links that it finds likely have nearly all the logins: by their measure the others are odd.
  const skewed: TrainingGraph = {
    ...graph,
    linkCount: Float64Array.from(links, (link) => (logit(link) > high ? 100_000 : 1)),
  };
  const verdict = judge(skewed, model, runningModel(now, epoch), options);
  assert.equal(verdict.difference, 0);
  assert.equal(verdict.isAccepted, false);
  assert.match(
    verdict.reason,
    /^\d\d of 50 unseen links are less likely than 0\.01 under it, \d+ under epoch 7/,
  );
});
