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
import { Random } from "../../src/model/random.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { flatEpoch } from "../model/epochs.ts";
import { createTopics, GROUP, QUEUE_BYTES_MAX } from "./schedule.ts";

const PARTITIONS = 2;
const MS_PER_DAY = 86_400_000;
/** Half an hour of event time goes by in fifty milliseconds of the cluster's. */
const LOGIN_EVERY_MS = 50;
const EVENT_STEP_MS = 1_800_000;
const RUN_MS = 45_000;
/** Under this epoch every login is odd. */
const BAD = 3;

type Adopted = readonly [number: number, rolledBackFrom: number | undefined];

/** Two workers; who trains is a trainer beside them, or the owner of partition 0. */
async function runCluster(trains: "trainer" | "worker") {
  const cluster = new SimulatedCluster({ random: (label) => new Random(1, label) });
  createTopics(cluster, PARTITIONS);
  const config = loadConfig({
    environment: {},
    flags: {
      "training.mode": trains === "worker" ? "live" : "off",
      // Seconds of the wall clock.
      "training.firstAfterHours": 10 / 3600,
      "training.everyHours": 8 / 3600,
      "training.linksMin": 1,
      detector: "link",
      familiarAfterHours: 720,
    },
  });
  const previous: (number | undefined)[] = [];
  const train: TrainEpoch = async (graph, _config, number, trainedAtMs, _signal, before) => {
    previous[number] = before?.manifest.number;
    return flatEpoch(number, trainedAtMs, trainingInput(graph), number === BAD ? 1e-6 : 1);
  };
  const failures: string[] = [];
  const onEpochFailed = (error: Error): void => void failures.push(error.message);
  const stop = new AbortController();
  const ended: Promise<unknown>[] = [];
  const startWorker = (name: string) => {
    const process = cluster.process(name);
    const log = new KafkaLog({
      ...kafkaLogOptions(process.client, process.time),
      group: GROUP,
      queueBytesMax: QUEUE_BYTES_MAX,
    });
    const adopted: Adopted[] = [];
    const engine = new Engine({
      config,
      log,
      time: process.time,
      signal: stop.signal,
      merging: (state) => new WholeMerging(state),
      train,
      onEpochFailed,
      onAdopted: ({ manifest }) => adopted.push([manifest.number, manifest.rolledBack?.from]),
    });
    ended.push(engine.run().finally(() => log.close()));
    return { engine, adopted };
  };
  const workers = [startWorker("one"), startWorker("two")];
  if (trains === "trainer") {
    const process = cluster.process("trainer");
    const log = new KafkaTrainerLog({
      client: process.client,
      time: process.time,
      group: GROUP,
      topics: TOPIC_NAMES,
      id: "trainer",
      drainMs: 5000,
      onTrouble: () => {},
    });
    const { time } = process;
    const trainer = new StandaloneTrainer({ config, log, time, train, onEpochFailed, signal: stop.signal });
    ended.push(trainer.follow().finally(() => log.close()));
  }
  let login = 0;
  const startMs = cluster.time.now() - 60 * MS_PER_DAY;
  const feed = (): void => {
    const user = login++ % 6;
    const value = JSON.stringify({
      timeMs: Math.floor(startMs + login * EVENT_STEP_MS),
      user: `U${user}`,
      sourceHost: `C${user}`,
      targetHost: `C${100 + (login % 3)}`,
      authType: "Kerberos",
    });
    cluster.append(TOPIC_NAMES.logins, user % PARTITIONS, [{ key: `U${user}`, value: Buffer.from(value) }]);
    cluster.time.schedule(LOGIN_EVERY_MS, feed);
  };
  cluster.time.schedule(5000, feed);
  await cluster.time.run(RUN_MS);
  stop.abort();
  await cluster.time.settle(Promise.all(ended), 20_000);
  return { workers, previous, failures };
}

for (const trains of ["trainer", "worker"] as const) {
  test(`an epoch that the ${trains} takes back is taken back by both workers, and what is trained next goes on from the one before`, async () => {
    const { workers, previous, failures } = await runCluster(trains);
    assert.deepEqual(failures, []);
    for (const { adopted, engine } of workers) {
      assert.deepEqual(adopted.slice(0, 5), [
        [1, undefined],
        [2, undefined],
        [BAD, undefined],
        [4, BAD],
        [5, undefined],
      ]);
      assert.equal(engine.totals.rollBacks, 1);
    }
    assert.deepEqual([previous[BAD], previous[4], previous[5]], [2, undefined, 4]);
  });
}
