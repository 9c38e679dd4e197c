import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ended, run } from "../processes/oddlink.ts";
import { startBroker } from "./kafka-broker.ts";
import { type RunningWorker, WorkerCluster } from "./worker-cluster.ts";

const SAID_MS_MAX = 60_000;
const SETTINGS = { ODDLINK_TRAINING_MODE: "off", ODDLINK_KAFKA_SESSIONTIMEOUTMS: "3000" };

/** What only the client beneath says: names of its parts, of requests, of its errors. */
const WORDS_OF_THE_CLIENT =
  /KafkaJS|RequestQueue|\bRunner\b|Connection:|Consumer:|Heartbeat|re-?join|Response /;
/** A broker that is being started may be there, and away again, for a moment. */
const OUTAGES_MAX = 3;

async function says({ name, output }: RunningWorker, what: RegExp): Promise<void> {
  for (const deadline = performance.now() + SAID_MS_MAX; !what.test(output.stderr); await sleep(20))
    assert.ok(performance.now() < deadline, `${name} has not said ${what}: ${output.stderr}`);
}

const timesSaid = ({ output }: RunningWorker, what: RegExp): number =>
  output.stderr.split("\n").filter((line) => what.test(line)).length;

test("an operator reads what becomes of a worker, and nothing of the client beneath it", {
  timeout: 180_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 4, SETTINGS);
  await cluster.createTopics();
  const first = cluster.startWorker();
  await says(
    first,
    /worker started: [\s\S]*the graph is there[\s\S]*partitions of this worker: 0-3\nready: reading partitions 0-3/,
  );
  await cluster.produce(Array.from({ length: 600 }, (_, i) => ({ key: `${i}`, value: `no login ${i}` })));
  await says(
    first,
    /records can't be read, most often: [a-z-]+; they go to oddlink\.dead-letters\. Is input\.format right\?/,
  );
  await cluster.drained(SAID_MS_MAX);
  const second = cluster.startWorker();
  await says(second, /ready: reading partitions \d/);
  await says(
    first,
    /the group gives its partitions out anew\npartitions of this worker: \d, \d \(given up \d, \d\)/,
  );
  await broker.stop("SIGKILL");
  for (const worker of [first, second])
    await says(worker, /can't be reached \(.*ECONNREFUSED\); waiting for it, nothing is lost/);
  await sleep(2000);
  await broker.start();
  for (const worker of [first, second]) await says(worker, /is reached again, after \d+ s/);
  // Whether the group has to be joined again depends on how soon its coordinator hears of its members: in any case they go on.
  await cluster.produce(
    Array.from({ length: 40 }, (_, i) => ({ key: `${i}`, value: `no login either ${i}` })),
  );
  await cluster.drained(SAID_MS_MAX);
  // The one that is stopped last has taken everything on before.
  await cluster.stop(second);
  await says(first, /partitions of this worker: 0-3 \(taken on [\s\S]*ready: reading partitions 0-3\n/);
  await cluster.stop(first);
  for (const worker of [first, second]) {
    const lines = worker.output.stderr.trimEnd().split("\n");
    assert.deepEqual(
      lines.filter((line) => WORDS_OF_THE_CLIENT.test(line)),
      [],
    );
    assert.ok(timesSaid(worker, /can't be reached/) <= OUTAGES_MAX, worker.output.stderr);
    assert.equal(timesSaid(worker, /is reached again/), timesSaid(worker, /can't be reached/));
    assert.deepEqual(lines.slice(-2), [
      "stopping: what was read is being committed",
      "stopped: what was read is committed, the group is left",
    ]);
  }
});

test("a worker says at its start what is wrong with its topics, and at its end what it could not commit", {
  timeout: 120_000,
}, async (t) => {
  const broker = await startBroker(t);
  const settings = { ...SETTINGS, ODDLINK_KAFKA_DRAINMS: "1000" };
  const cluster = new WorkerCluster(t, broker, 1, settings);
  const none = cluster.startWorker();
  assert.equal(await ended(none.process), 2);
  assert.match(
    none.output.stderr,
    /there is no such topic; oddlink topics --create --partitions N makes what is missing/,
  );
  const { logins, alerts, graphState, epochs } = cluster.topics;
  const compacted = { partitions: 1, config: { "cleanup.policy": "compact" } };
  await broker.createTopics({
    [logins]: { partitions: 1 },
    [alerts]: { partitions: 1 },
    [epochs]: compacted,
  });
  await broker.createTopics({ [graphState]: { partitions: 1 } });
  const worker = cluster.startWorker();
  await says(worker, /oddlink\.dead-letters: does not exist/);
  await says(
    worker,
    /oddlink\.graph-state: cleanup\.policy is delete, so that what is still needed is deleted with time/,
  );
  await says(worker, /ready: reading partitions 0\n/);
  await cluster.produce(Array.from({ length: 6 }, (_, i) => ({ key: `${i}`, value: `no login ${i}` })));
  await says(worker, /the topic oddlink\.dead-letters is missing/);
  await cluster.stop(worker);
  assert.match(
    worker.output.stderr,
    /6 records were read and not committed, the next owner of their partitions reads them again\n$/,
  );
});

test("a command that reaches no broker names it, the setting, and who looks closer", async () => {
  const env = { ODDLINK_KAFKA_BROKERS: "127.0.0.1:1" };
  const [topics, worker] = await Promise.all([run(["topics"], { env }), run(["run", "--kafka"], { env })]);
  for (const { code, stderr } of [topics, worker]) {
    assert.equal(code, 1);
    assert.match(
      stderr,
      /Kafka can't be reached \(127\.0\.0\.1:1: connect ECONNREFUSED\); see whether kafka\.brokers is right, oddlink doctor looks closer\n$/,
    );
  }
  assert.match(
    worker.stderr,
    /^worker started: [\s\S]*broker 127\.0\.0\.1:1 can't be reached \(connect ECONNREFUSED\); trying again\n/,
  );
});
