import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { StandaloneTrainer } from "../../src/engine/standalone-trainer.ts";
import type { TrainEpoch } from "../../src/engine/training/training-schedule.ts";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { KafkaTrainerLog } from "../../src/log/kafka/kafka-trainer-log.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { sealEpoch } from "../../src/model/epoch.ts";
import { Random } from "../../src/model/random.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { flatEpoch } from "../model/epochs.ts";
import { createTopics, GROUP, QUEUE_BYTES_MAX } from "./schedule.ts";

const PARTITIONS = 2;
const LOGIN_EVERY_MS = 50;

test("an epoch in the shadow alerts nobody on any worker until it is promoted, and then all of them", async () => {
  const cluster = new SimulatedCluster({ random: (label) => new Random(1, label) });
  createTopics(cluster, PARTITIONS);
  cluster.createTopic(TOPIC_NAMES.alertsShadow, { partitions: PARTITIONS });
  const config = loadConfig({
    environment: {},
    flags: {
      "training.mode": "off",
      "training.shadow": true,
      "training.linksMin": 1,
      detector: "link",
      familiarAfterHours: 720,
      threshold: 0.01,
    },
  });
  // The first finds nothing odd, the second everything.
  const train: TrainEpoch = async (graph, _config, number, trainedAtMs, _signal, previous) => {
    const epoch = flatEpoch(number, trainedAtMs, trainingInput(graph), number === 1 ? 1 : 1e-6);
    return sealEpoch({ ...epoch, manifest: { ...epoch.manifest, isChallenger: previous !== undefined } });
  };
  const stop = new AbortController();
  const workers = ["one", "two"].map((name) => {
    const process = cluster.process(name);
    const { client, time } = process;
    const log = new KafkaLog({
      ...kafkaLogOptions(client, time),
      group: GROUP,
      queueBytesMax: QUEUE_BYTES_MAX,
    });
    const merging = (state: ConstructorParameters<typeof WholeMerging>[0]) => new WholeMerging(state);
    const engine = new Engine({ config, log, time, signal: stop.signal, merging, train });
    return { engine, ended: engine.run().finally(() => log.close()) };
  });
  let login = 0;
  const feed = (): void => {
    const user = login++ % 6;
    const value = JSON.stringify({
      timeMs: Math.floor(cluster.time.now()),
      user: `U${user}`,
      sourceHost: `C${user}`,
      targetHost: `C${100 + (login % 3)}`,
      authType: "Kerberos",
    });
    cluster.append(TOPIC_NAMES.logins, user % PARTITIONS, [{ key: `U${user}`, value: Buffer.from(value) }]);
    if (!stop.signal.aborted) cluster.time.schedule(LOGIN_EVERY_MS, feed);
  };
  feed();
  await cluster.time.run(10_000);

  const work = async (name: string, of: (trainer: StandaloneTrainer) => Promise<void>): Promise<void> => {
    const { client, time } = cluster.process(name);
    const log = new KafkaTrainerLog({
      client,
      time,
      group: GROUP,
      topics: TOPIC_NAMES,
      id: name,
      drainMs: 5000,
      onTrouble: () => {},
    });
    const trainer = new StandaloneTrainer({ config, log, time, train, signal: new AbortController().signal });
    await cluster.time.settle(
      of(trainer).finally(() => log.close()),
      20_000,
    );
    await cluster.time.run(5000);
  };
  const inForce = () => workers.map(({ engine }) => engine.epoch?.manifest.number);
  const written = (topic: string) =>
    Array.from({ length: PARTITIONS }, (_, partition) => cluster.committedRecords(topic, partition)).flat();
  const findings = (topic: string) =>
    written(topic).map(({ value }) => JSON.parse(String(value)).evidences[0].data.epoch.number as number);

  await work("first", (trainer) => trainer.once());
  assert.deepEqual(inForce(), [1, 1]);
  await assert.rejects(
    work("too early", (trainer) => trainer.promote()),
    /no epoch is in the shadow/,
  );
  await work("second", (trainer) => trainer.once());
  assert.deepEqual(inForce(), [1, 1]);
  assert.deepEqual(written(TOPIC_NAMES.alerts), []);
  const shadow = findings(TOPIC_NAMES.alertsShadow);
  assert.ok(shadow.length > 0 && shadow.every((epoch) => epoch === 2), `${shadow}`);
  for (const { engine } of workers) assert.ok(engine.totals.alertsShadow > 0);

  await work("promotion", (trainer) => trainer.promote());
  assert.deepEqual(inForce(), [3, 3]);
  const alerts = findings(TOPIC_NAMES.alerts);
  assert.ok(alerts.length > 0 && alerts.every((epoch) => epoch === 3), `${alerts}`);
  const shadowCount = findings(TOPIC_NAMES.alertsShadow).length;
  await cluster.time.run(5000);
  assert.equal(findings(TOPIC_NAMES.alertsShadow).length, shadowCount, "nothing is in the shadow any more");
  stop.abort();
  await cluster.time.settle(Promise.all(workers.map(({ ended }) => ended)), 20_000);
});
