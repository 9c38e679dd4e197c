import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import {
  alert,
  GROUP,
  newCluster,
  newProducer,
  outcomeOf,
  positionAt,
  tailOf,
  text,
  watch,
} from "./small-cluster.ts";

describe("transactions", () => {
  test("records and position become visible together, after the commit", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const producer = await newProducer(cluster, worker);
    await cluster.time.settle(producer.transact([alert("1"), alert("2", 1)], positionAt(7)));
    await cluster.time.run(100);
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["1"]);
    assert.deepEqual(text(cluster.committedRecords("alerts", 1)), ["2"]);
    const offsets = worker.client.committedOffsets(GROUP, "logins", [0, 1]);
    assert.deepEqual(await cluster.time.settle(offsets), [7, undefined]);
    // One record and one marker.
    assert.deepEqual(await cluster.time.settle(worker.client.topicOffsets("alerts")), [
      { partition: 0, low: 0, high: 2, stable: 2 },
      { partition: 1, low: 0, high: 2, stable: 2 },
    ]);
  });

  test("a commit that is answered may be invisible for a moment, but not after the next fence", async () => {
    let wasInvisible = 0;
    for (let seed = 0; seed < 30; seed++) {
      const cluster = newCluster(seed);
      const worker = cluster.process("a");
      const producer = await newProducer(cluster, worker);
      await cluster.time.settle(producer.transact([alert("1")], positionAt(7)));
      if (cluster.committedOffset(GROUP, "logins", 0) !== 7) wasInvisible++;
      await newProducer(cluster, worker);
      assert.equal(cluster.committedOffset(GROUP, "logins", 0), 7);
      assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["1"]);
    }
    assert(wasInvisible > 0);
  });

  test("an open transaction holds committed readers back, below the high watermark", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const { seen } = tailOf(b, "alerts");
    const open = await newProducer(cluster, a, "open");
    const other = await newProducer(cluster, a, "other");
    cluster.failNext("commit", "request-lost");
    assert.equal(await cluster.time.settle(outcomeOf(open.transact([alert("open")]))), "unknown");
    await cluster.time.settle(other.transact([alert("committed")]));
    await cluster.time.run(1000);
    assert.deepEqual(cluster.offsets("alerts", 0), { partition: 0, low: 0, high: 3, stable: 0 });
    assert.deepEqual(text(seen.records), []);
    assert.equal(seen.positions[0], undefined);
    const [offsets] = await cluster.time.settle(b.client.topicOffsets("alerts"));
    assert.equal(offsets!.high, 3);
    // The timeout of the open transaction ends the waiting.
    await cluster.time.run(cluster.timings.transactionTimeoutMs + 1000);
    assert.deepEqual(text(seen.records), ["committed"]);
    assert.equal(seen.positions[0], 4);
  });

  test("what is aborted is never seen, and its offsets are passed", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const { seen } = tailOf(worker, "alerts");
    const producer = await newProducer(cluster, worker);
    cluster.failNext("write offsets", "refused");
    const outcome = outcomeOf(producer.transact([alert("1"), alert("2")], positionAt(2)));
    assert.equal(await cluster.time.settle(outcome), "aborted");
    await cluster.time.run(100);
    assert.equal(cluster.offsets("alerts", 0).high, 3);
    assert.deepEqual(seen, { records: [], positions: [3], crash: undefined });
    assert.equal(cluster.committedOffset(GROUP, "logins", 0), undefined);
    // The same records may be sent again through the same producer.
    await cluster.time.settle(producer.transact([alert("1"), alert("2")], positionAt(2)));
    await cluster.time.run(100);
    assert.deepEqual(text(seen.records), ["1", "2"]);
  });

  test("a new producer of the id shuts the old one out and aborts what it left open", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const old = await newProducer(cluster, a);
    const outcome = outcomeOf(old.transact([alert("old")], positionAt(1)));
    await cluster.time.runUntil(() => cluster.offsets("alerts", 0).high === 1, 1000);
    a.pause();
    const young = await newProducer(cluster, b);
    // A record and the marker that aborts it: fencing is over when readers can pass both.
    assert.deepEqual(cluster.offsets("alerts", 0), { partition: 0, low: 0, high: 2, stable: 2 });
    const watched = watch(outcome);
    await cluster.time.run(60_000);
    assert.equal(watched.isSettled, false);
    a.resume();
    assert.equal(await cluster.time.settle(outcome), "fenced");
    assert.equal(await cluster.time.settle(outcomeOf(old.transact([alert("again")]))), "fenced");
    await cluster.time.settle(young.transact([alert("young")], positionAt(1)));
    await cluster.time.run(100);
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["young"]);
  });

  test("before it is fenced a zombie may write, and is not told", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const old = await newProducer(cluster, a);
    const young = b.client.producer("input-0");
    await cluster.time.settle(old.transact([alert("old")]));
    await assert.rejects(young.transact([alert("young")]), /fence comes before/);
    await cluster.time.settle(young.fence());
    assert.equal(await cluster.time.settle(outcomeOf(old.transact([alert("old")]))), "fenced");
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["old"]);
  });

  test("a transaction that lasts too long is aborted, and its producer fenced", async () => {
    const cluster = newCluster();
    const a = cluster.process("a");
    const producer = await newProducer(cluster, a);
    const outcome = outcomeOf(producer.transact([alert("1")]));
    await cluster.time.runUntil(() => cluster.offsets("alerts", 0).high === 1, 1000);
    a.pause();
    await cluster.time.run(cluster.timings.transactionTimeoutMs - 1000);
    assert.equal(cluster.offsets("alerts", 0).stable, 0);
    await cluster.time.run(2000);
    assert.equal(cluster.offsets("alerts", 0).stable, 2);
    a.resume();
    assert.equal(await cluster.time.settle(outcome), "fenced");
  });

  test("without an answer a commit may have taken effect", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const producer = await newProducer(cluster, worker);
    cluster.failNext("commit", "answer-lost");
    const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    assert.equal(await cluster.time.settle(outcome), "unknown");
    await newProducer(cluster, worker);
    assert.equal(cluster.committedOffset(GROUP, "logins", 0), 1);
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["1"]);
  });

  test("or not", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const producer = await newProducer(cluster, worker);
    cluster.failNext("commit", "request-lost");
    const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    assert.equal(await cluster.time.settle(outcome), "unknown");
    await newProducer(cluster, worker);
    assert.equal(cluster.committedOffset(GROUP, "logins", 0), undefined);
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), []);
  });

  test("or takes effect later, unless a new producer comes first", async () => {
    const seen = { later: 0, never: 0 };
    for (let seed = 0; seed < 40; seed++) {
      // The client notices at once or after seconds: in the second case the commit may be there already.
      const cluster = newCluster(seed, { timings: { requestTimeoutMs: 5 } });
      const worker = cluster.process("a");
      const producer = await newProducer(cluster, worker);
      cluster.failNext("commit", "late");
      const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
      assert.equal(await cluster.time.settle(outcome), "unknown");
      const before = cluster.committedOffset(GROUP, "logins", 0);
      if (seed % 2 === 0) {
        await newProducer(cluster, worker);
        const fenced = cluster.committedOffset(GROUP, "logins", 0);
        await cluster.time.run(cluster.timings.lateCommitMsMax + 5000);
        assert.equal(cluster.committedOffset(GROUP, "logins", 0), fenced, "decided by the fence");
        if (fenced === undefined) seen.never++;
      } else {
        await cluster.time.run(cluster.timings.lateCommitMsMax + 5000);
        if (before === undefined && cluster.committedOffset(GROUP, "logins", 0) === 1) seen.later++;
      }
    }
    assert(seen.later > 5 && seen.never > 5, JSON.stringify(seen));
  });

  test("an abort without an answer leaves the producer of no use, for it could commit what it left", async () => {
    const cluster = newCluster();
    const producer = await newProducer(cluster, cluster.process("a"));
    cluster.failNext("write offsets", "refused");
    cluster.failNext("abort", "request-lost");
    const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    assert.equal(await cluster.time.settle(outcome), "unknown");
    assert.equal(await cluster.time.settle(outcomeOf(producer.transact([alert("2")]))), "unknown");
  });

  test("a lost answer to anything else is asked for again, and nothing is written twice", async () => {
    const cluster = newCluster();
    const producer = await newProducer(cluster, cluster.process("a"));
    for (const kind of ["add partitions", "produce", "add offsets", "write offsets"] as const)
      cluster.failNext(kind, "answer-lost");
    await cluster.time.settle(producer.transact([alert("1")], positionAt(1)));
    await cluster.time.run(100);
    assert.deepEqual(text(cluster.committedRecords("alerts", 0)), ["1"]);
    assert.equal(cluster.offsets("alerts", 0).high, 2);
  });

  test("a position that is pending reads as undefined at times, and never as what is pending", async () => {
    const cluster = newCluster(1, { undefinedOffsetChance: 0.5 });
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const producer = await newProducer(cluster, a);
    await cluster.time.settle(producer.transact([], positionAt(1)));
    await cluster.time.run(100);
    cluster.failNext("commit", "request-lost");
    await cluster.time.settle(outcomeOf(producer.transact([], positionAt(2))));
    const read = new Set<number | undefined>();
    for (let i = 0; i < 30; i++)
      read.add((await cluster.time.settle(b.client.committedOffsets(GROUP, "logins", [0])))[0]);
    assert.deepEqual(read, new Set([1, undefined]));
  });

  test("a record that the broker does not take aborts its transaction", async () => {
    const cluster = newCluster(1, { recordBytesMax: 100 });
    const producer = await newProducer(cluster, cluster.process("a"));
    const tooBig = producer.transact([alert("fits"), alert("x".repeat(101))]);
    assert.equal(await cluster.time.settle(outcomeOf(tooBig)), "aborted");
    const keyless = producer.transact([{ topic: "state", partition: 0, key: null, value: "v" }]);
    assert.equal(await cluster.time.settle(outcomeOf(keyless)), "aborted");
    assert.deepEqual(cluster.committedRecords("alerts", 0), []);
  });

  test("records are bytes once they are sent, and the key decides where no partition is named", async () => {
    const cluster = newCluster();
    const producer = await newProducer(cluster, cluster.process("a"));
    const value = Buffer.from("before");
    const records = ["k", "k", "k"].map((key) => ({ topic: "logins", key, value, headers: { h: "1" } }));
    const sent = producer.transact(records);
    value.write("after!");
    await cluster.time.settle(sent);
    await cluster.time.run(100);
    const partitions = [0, 1, 2, 3].filter((p) => cluster.committedRecords("logins", p).length > 0);
    assert.equal(partitions.length, 1);
    const [first] = cluster.committedRecords("logins", partitions[0]!);
    assert.equal(first!.value!.toString(), "before");
    assert.deepEqual(first!.headers, { h: Buffer.from("1") });
    assert.equal(first!.timestampMs, Math.floor(first!.timestampMs));
  });
});
