import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import type { TrainSummary } from "../../src/cli/train.ts";
import { EPOCHS_KEPT, EpochReader } from "../../src/engine/epoch-records.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { EXAMPLE, ended } from "../processes/oddlink.ts";
import { startBroker } from "./kafka-broker.ts";
import { type RunningWorker, WorkerCluster } from "./worker-cluster.ts";

const RECORDS = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: value.split(",")[1]!, value }));
const SETTINGS = {
  ODDLINK_INPUT_FORMAT: "lanl",
  ODDLINK_TRAINING_MODE: "off",
  // Models of several chunks, trained quickly.
  ODDLINK_TRAINING_DIMENSIONS: "96",
  ODDLINK_TRAINING_STEPS: "2",
  // Whether they are any good is another matter.
  ODDLINK_TRAINING_GATE: "false",
  ODDLINK_THRESHOLD: "0.01",
  ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
  ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
};
/** Hours: at once, and again a second later. */
const OFTEN = { ODDLINK_TRAINING_FIRSTAFTERHOURS: "0.0001", ODDLINK_TRAINING_EVERYHOURS: "0.0003" };
const SAID_MS_MAX = 60_000;
/** Milliseconds after the moment in which the first chunk of a model is in the topic, and its manifest mostly is not. */
const KILLS_AFTER_MS = [0, 10, 40];

/** Resolves once a process has said it. */
async function said({ name, output }: RunningWorker, what: RegExp): Promise<void> {
  for (const deadline = performance.now() + SAID_MS_MAX; !what.test(output.stderr); await sleep(2))
    assert.ok(performance.now() < deadline, `${name} has not said ${what}: ${output.stderr}`);
}

async function kill({ process }: RunningWorker): Promise<void> {
  process.kill("SIGKILL");
  await ended(process);
}

/** What becomes of the epochs in the topic for who reads it from the beginning. */
async function readEpochs(cluster: WorkerCluster) {
  const adopted: number[] = [];
  const unusable: string[] = [];
  const reader = new EpochReader({
    onEpoch: ({ manifest }) => adopted.push(manifest.number),
    onUnusable: ({ message }) => unusable.push(message),
  });
  const records = (await cluster.read(cluster.topics.epochs)).flat();
  for (const { key, value } of records) reader.read({ key: key!.toString(), value });
  const live = new Map(records.map(({ key, value }) => [key!.toString(), value]));
  const manifests = [...live].filter(([key, value]) => value !== null && key.endsWith("/manifest"));
  return { adopted, unusable, newest: reader.newest, manifests: manifests.length };
}

test("a trainer is killed while it trains and while it publishes, and the next one fences it: epochs are whole, and only the last few stay", {
  timeout: 300_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 2, SETTINGS);
  await cluster.createTopics();
  await cluster.produce(RECORDS.slice(0, 5000));
  const worker = cluster.startWorker();
  await cluster.drained(60_000);
  await cluster.stop(worker);

  const first = cluster.start(["train", "--follow", "--json"], OFTEN);
  await said(first, /training epoch 1 on a graph of \d+ links/);
  await kill(first);
  assert.deepEqual((await readEpochs(cluster)).adopted, []);
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  t.after(() => client.close());
  const endOf = async () => (await client.topicOffsets(cluster.topics.epochs))[0]!;
  let leftOpen = 0;
  for (const afterMs of KILLS_AFTER_MS) {
    const trainer = cluster.start(["train", "--follow", "--json"], OFTEN);
    await said(trainer, /training epoch \d+ on/);
    for (const { high } = await endOf(); (await endOf()).high === high; );
    await sleep(afterMs);
    await kill(trainer);
    const { high, stable } = await endOf();
    if (high > stable) leftOpen++;
  }
  assert.ok(leftOpen > 0, "some were killed with a part of a model written");
  const third = cluster.start(["train", "--follow", "--json"], OFTEN);
  await said(third, /epoch \d+ published/);
  const fourth = cluster.start(["train", "--follow", "--json"], OFTEN);
  assert.equal(await ended(third.process), 1);
  assert.match(third.output.stderr, /another trainer has taken oddlink\.epochs over, and this one ends/);
  // More than are kept, so that some are deleted.
  await said(fourth, new RegExp(`(epoch \\d+ published[^]*){${EPOCHS_KEPT + 1}}`));
  const { epochsPublished, epoch, digest } = (await cluster.stop(fourth)) as unknown as TrainSummary;
  assert.ok(epochsPublished > EPOCHS_KEPT);

  const { adopted, unusable, newest, manifests } = await readEpochs(cluster);
  assert.deepEqual(unusable, []);
  assert.deepEqual(
    adopted,
    [...new Set(adopted)].sort((a, b) => a - b),
  );
  assert.deepEqual([newest?.number, newest?.digest], [epoch, digest]);
  assert.ok(manifests <= EPOCHS_KEPT, `${manifests} epochs are kept`);
  t.diagnostic(
    `${newest?.number} epochs were published, ${leftOpen} of ${KILLS_AFTER_MS.length} kills left a part of one`,
  );
});

test("workers that do not train adopt what a trainer publishes while they run, and alerts name it", {
  timeout: 240_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 2, SETTINGS);
  await cluster.createTopics();
  await cluster.produce(RECORDS.slice(0, 5000));
  const workers = [cluster.startWorker(), cluster.startWorker()];
  await cluster.drained(60_000);
  await cluster.finished(cluster.start(["train", "--once", "--json"]));
  await cluster.produce(RECORDS.slice(5000, 9000));
  await cluster.drained(60_000);
  const { epoch, digest } = await cluster.finished<TrainSummary>(
    cluster.start(["train", "--once", "--json"]),
  );
  await cluster.produce(RECORDS.slice(9000));
  await cluster.drained(60_000);
  for (const worker of workers) {
    await cluster.stop(worker);
    assert.doesNotMatch(worker.output.stderr, /going on with the model before/);
  }
  const scored = (await cluster.read(cluster.topics.scoredLogins)).map((records) =>
    records.map(({ value }) => (JSON.parse(value!.toString()) as { epoch: number | null }).epoch),
  );
  assert.equal(epoch, 2);
  for (const epochs of scored) {
    assert.deepEqual([...new Set(epochs)], [null, 1, 2], "in this order");
    assert.deepEqual(
      epochs,
      epochs.toSorted((a, b) => (a ?? 0) - (b ?? 0)),
    );
  }
  const alerts = (await cluster.read(cluster.topics.alerts)).flat();
  assert.ok(alerts.some(({ value }) => value!.toString().includes(digest!)));
});

test("train --once publishes beside the trainer in charge, which is stopped in order and goes on after a broker restart", {
  timeout: 180_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 1, SETTINGS);
  await cluster.createTopics();
  const worker = cluster.startWorker();
  const early = cluster.start(["train", "--once", "--json"]);
  assert.equal(await ended(early.process), 1);
  assert.match(early.output.stderr, /the graph has 0 links, too few to train on: training\.linksMin is 200/);
  await cluster.produce(RECORDS.slice(0, 4000));
  await cluster.drained(60_000);
  await cluster.stop(worker);

  const inCharge = cluster.start(["train", "--follow", "--json"]);
  await said(inCharge, /the graph is there: \d+ links, no epoch yet/);
  const once = cluster.start(["train", "--once", "--json"]);
  const summary = await cluster.finished<TrainSummary>(once);
  assert.deepEqual([summary.epochsPublished, summary.epoch, summary.stopped], [1, 1, false]);

  await broker.kill();
  await broker.start();
  const again = await cluster.finished<TrainSummary>(cluster.start(["train", "--once", "--json"]));
  assert.equal(again.epoch, 2);
  const stopped = (await cluster.stop(inCharge)) as unknown as TrainSummary;
  assert.deepEqual([stopped.epochsPublished, stopped.epoch, stopped.stopped], [0, 2, true]);
  assert.equal(stopped.digest, again.digest);
});
