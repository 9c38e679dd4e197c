import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import type { ConsumedRecord, ProducedRecord } from "../../src/log/kafka/client.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { ended, run, start } from "../processes/oddlink.ts";
import { startBroker } from "./kafka-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const LETTERS = 24_000;
/** Replays that are killed. */
const KILLS_MIN = 4;
const KILLS_MAX = 20;
const SETTINGS = { ODDLINK_TRAINING_MODE: "off", ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500" };

function letter(i: number, more: Readonly<Record<string, string>> = {}): ProducedRecord {
  return {
    topic: "oddlink.dead-letters",
    partition: i % 2,
    key: `key-${i}`,
    value: Buffer.from([0, 255, ...Buffer.from(`letter ${i}`)]),
    headers: {
      "oddlink-source-topic": "oddlink.logins",
      "oddlink-source-partition": String(i % 3),
      "oddlink-reason": i % 4 === 0 ? "invalid-time" : "unknown-format",
      ...more,
    },
  };
}

async function write(client: KafkajsClient, records: readonly ProducedRecord[]): Promise<void> {
  const producer = client.producer("test");
  await producer.fence();
  for (let i = 0; i < records.length; i += 5000) await producer.transact(records.slice(i, i + 5000));
  await producer.close();
}

async function readAll(client: KafkajsClient, topic: string): Promise<ConsumedRecord[][]> {
  return Promise.all(
    (await client.topicOffsets(topic)).map(async ({ partition, low, stable }) => {
      const records: ConsumedRecord[] = [];
      for (let offset = low; offset < stable; ) {
        const read = await client.read(topic, partition, offset);
        records.push(...read.records);
        offset = read.position;
      }
      return records;
    }),
  );
}

test("dead letters go back once each, however often a replay is killed and called again", {
  timeout: 180_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 3, SETTINGS);
  await cluster.createTopics();
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  t.after(() => client.close());
  await write(
    client,
    Array.from({ length: LETTERS }, (_, i) => letter(i)),
  );
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers };
  const replay = (...args: string[]) => run(["replay", "--dead-letters", ...args], { env });
  const sentSoFar = async () => (await readAll(client, "oddlink.logins")).flat().length;

  /** Records and markers, also of transactions that are open. */
  const written = async () =>
    (await client.topicOffsets("oddlink.logins")).reduce((sum, { high }) => sum + high, 0);

  const dry = await replay("--dry-run");
  assert.equal(dry.code, 0, dry.stderr);
  assert.match(
    dry.stdout,
    /^unknown-format: 18000\ninvalid-time: 6000\nwould be sent to oddlink\.logins: 24000\n$/,
  );
  assert.equal(await sentSoFar(), 0);

  // One reason only: the other one is left for later.
  let killed = 0;
  let kills = 0;
  // Later each time, and until one of them has sent something: a busy machine needs longer for that.
  for (let afterMs = 0; kills < KILLS_MIN || (killed === 0 && kills < KILLS_MAX); afterMs += 15, kills++) {
    const before = await written();
    const child = start(["replay", "--dead-letters", "--reason", "unknown-format"], { env });
    t.after(() => child.kill("SIGKILL"));
    const end = ended(child);
    const isOver = end.then(() => true);
    while ((await written()) === before && !(await Promise.race([isOver, sleep(1, false)])));
    await sleep(afterMs);
    child.kill("SIGKILL");
    assert.equal(await end, null, "it was killed before it was done");
    killed = await sentSoFar();
  }
  assert.ok(killed > 0 && killed < 18_000, `${killed} were sent by replays that were killed`);
  const rest = await replay("--reason", "unknown-format");
  assert.equal(rest.code, 0, rest.stderr);
  assert.equal(await sentSoFar(), 18_000);
  const other = await replay();
  assert.match(other.stdout, /^invalid-time: 6000\nsent to oddlink\.logins: 6000\n$/);
  assert.match((await replay()).stdout, /^sent to oddlink\.logins: 0\n$/);

  const found = new Map<string, number>();
  for (const [partition, records] of (await readAll(client, "oddlink.logins")).entries()) {
    for (const { key, value, headers } of records) {
      const i = Number(key!.toString().slice(4));
      found.set(key!.toString(), (found.get(key!.toString()) ?? 0) + 1);
      assert.deepEqual(value, letter(i).value);
      assert.equal(partition, i % 3);
      assert.deepEqual(Object.keys(headers), ["oddlink-replayed-from"]);
      assert.match(headers["oddlink-replayed-from"]!.toString(), new RegExp(`^${i % 2}/\\d+$`));
    }
  }
  assert.equal(found.size, LETTERS);
  assert.ok([...found.values()].every((count) => count === 1));
  t.diagnostic(`${killed} of 18000 were sent by ${kills} replays that were killed`);
});

test("what comes back is counted, other topics are refused, and older ones are passed over", {
  timeout: 90_000,
}, async (t) => {
  const broker = await startBroker(t);
  const cluster = new WorkerCluster(t, broker, 1, SETTINGS);
  await cluster.createTopics();
  await broker.createTopics({ elsewhere: { partitions: 1 } });
  const client = new KafkajsClient({ brokers: [broker.brokers], clientId: "test" });
  t.after(() => client.close());
  const env = { ODDLINK_KAFKA_BROKERS: broker.brokers };
  const replay = (...args: string[]) => run(["replay", "--dead-letters", ...args], { env });

  await cluster.produce([{ key: "a", value: "no login at all" }]);
  const worker = cluster.startWorker();
  await cluster.drained(30_000);
  assert.match((await replay()).stdout, /^unknown-format: 1\nsent to oddlink\.logins: 1\n$/);
  // The input ends with the marker of the replay's transaction: nobody's position gets past it.
  while ((await readAll(client, "oddlink.dead-letters")).flat().length < 2) await sleep(50);
  await cluster.stop(worker);
  const [, again] = (await readAll(client, "oddlink.dead-letters"))[0]!;
  assert.equal(again!.value!.toString(), "no login at all");
  assert.equal(again!.headers["oddlink-replayed-from"]!.toString(), "0/0");
  assert.match((await replay("--dry-run")).stdout, /: 1, 1 of them replayed before\n/);

  await write(client, [letter(0, { "oddlink-source-topic": "other", "oddlink-reason": "unknown-format" })]);
  const refused = await replay();
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /nothing was sent.*1 of other/);
  assert.match((await replay("--to", "elsewhere")).stdout, /sent to elsewhere: 2, 1 of them replayed before/);
  assert.equal((await readAll(client, "elsewhere")).flat().length, 2);
  await write(client, [letter(4)]);
  assert.match(
    (await replay("--since", "2999-01-01")).stdout,
    /invalid-time: 0, 1 older ones passed over\nsent to oddlink\.logins: 0/,
  );
  assert.match((await replay()).stdout, /^sent to oddlink\.logins: 0\n$/);
  assert.equal((await run(["replay"], { env })).code, 2);
});
