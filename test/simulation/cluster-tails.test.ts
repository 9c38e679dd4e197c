import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { Random } from "../../src/model/random.ts";
import {
  newCluster,
  newProducer,
  outcomeOf,
  positionAt,
  record,
  state,
  tailOf,
  text,
} from "./small-cluster.ts";

describe("tails", () => {
  test("one that is slow gets its records late and in order; others do not wait for it", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const slow = tailOf(a, "alerts");
    const quick = tailOf(b, "alerts");
    await cluster.time.run(100);
    cluster.slowTail("a", "alerts", 0, 3000, 10_000);
    cluster.append("alerts", 0, [record("0")]);
    cluster.append("alerts", 1, [record("1")]);
    await cluster.time.run(100);
    assert.deepEqual(text(quick.seen.records).sort(), ["0", "1"]);
    assert.deepEqual(text(slow.seen.records), ["1"]);
    await cluster.time.run(3000);
    assert.deepEqual(text(slow.seen.records), ["1", "0"]);
    await cluster.time.settle(slow.tail.close());
    cluster.append("alerts", 1, [record("2")]);
    await cluster.time.run(20_000);
    assert.equal(slow.seen.records.length, 2);
  });

  test("one of some partitions hears nothing of the others", async () => {
    const cluster = newCluster();
    const seen: number[] = [];
    cluster.append("alerts", 0, [record("0")]);
    cluster.append("alerts", 1, [record("1")]);
    cluster.process("a").client.tail({
      topic: "alerts",
      partitions: [1],
      onRecords: (partition) => seen.push(partition),
      onCrash: assert.fail,
    });
    await cluster.time.run(100);
    assert.deepEqual(seen, [1]);
  });

  test("one of a topic that has lost its beginning says where it goes on", async () => {
    const cluster = newCluster();
    cluster.append("alerts", 0, [record("0"), record("1")]);
    cluster.trim("alerts", 0, 2);
    const { seen } = tailOf(cluster.process("a"), "alerts");
    await cluster.time.run(100);
    assert.deepEqual(seen, { records: [], positions: [2], crash: undefined });
  });

  test("compaction keeps the newest value of each key, wherever it stops, and all offsets", async () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = new Random(seed, "compaction");
      const cluster = newCluster(seed);
      const worker = cluster.process("a");
      const producer = await newProducer(cluster, worker);
      const newest = new Map<string, string>();
      const offsets = new Map<number, string>();
      for (let round = 0; round < 30; round++) {
        const isAborted = random.nextFloat() < 0.2;
        const records = Array.from({ length: 1 + random.nextInt(4) }, (_, i) => {
          const isTombstone = random.nextFloat() < 0.2;
          return state(`key ${random.nextInt(8)}`, isTombstone ? null : `${round}.${i}`);
        });
        if (isAborted) cluster.failNext("write offsets", "refused");
        const position = isAborted ? positionAt(1) : undefined;
        await cluster.time.settle(outcomeOf(producer.transact(records, position)));
        await cluster.time.run(100);
        if (!isAborted)
          for (const { key, value } of records)
            if (value === null) newest.delete(key);
            else newest.set(key, value);
        for (const { offset, value } of cluster.committedRecords("state", 0)) {
          const said = `${value}`;
          assert.equal(offsets.get(offset) ?? said, said);
          offsets.set(offset, said);
        }
        if (random.nextFloat() < 0.3) {
          const { stable } = cluster.offsets("state", 0);
          cluster.compact("state", 0, random.nextInt(stable + 1));
        }
      }
      cluster.compact("state", 0);
      const { seen } = tailOf(cluster.process("b"), "state");
      await cluster.time.run(100);
      const keys = seen.records.map(({ key }) => key!.toString());
      assert.equal(new Set(keys).size, keys.length);
      const live = seen.records.filter(({ value }) => value !== null);
      assert.deepEqual(new Map(live.map(({ key, value }) => [`${key}`, `${value}`])), newest);
      assert.equal(seen.positions[0], cluster.offsets("state", 0).high);
    }
  });

  test("a tombstone is kept for a while, then a reader that is late never sees it", async () => {
    const cluster = newCluster();
    cluster.append("state", 0, [record("old", "k"), record("other", "l")]);
    cluster.slowTail("late", "state", 0, 30_000, 1);
    const late = tailOf(cluster.process("late"), "state");
    await cluster.time.run(100);
    cluster.append("state", 0, [record(null, "k")]);
    cluster.compact("state", 0);
    assert.deepEqual(
      cluster.committedRecords("state", 0).map(({ offset }) => offset),
      [1, 2],
    );
    await cluster.time.run(cluster.timings.tombstoneRetentionMs);
    cluster.compact("state", 0);
    assert.deepEqual(text(cluster.committedRecords("state", 0)), ["other"]);
    await cluster.time.run(60_000);
    assert.deepEqual(text(late.seen.records), ["old", "other"]);
    assert.equal(late.seen.positions[0], 3);
  });

  test("compaction stops at an open transaction", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    cluster.append("state", 0, [record("1", "k"), record("2", "k")]);
    const producer = await newProducer(cluster, worker);
    cluster.failNext("commit", "request-lost");
    await cluster.time.settle(outcomeOf(producer.transact([state("k", "3")])));
    cluster.compact("state", 0);
    assert.throws(() => cluster.compact("state", 0, 3), /last stable offset/);
    assert.deepEqual(text(cluster.committedRecords("state", 0)), ["2"]);
    await cluster.time.run(20_000);
    cluster.compact("state", 0);
    assert.deepEqual(
      text(cluster.committedRecords("state", 0)),
      ["2"],
      "the aborted record replaces nothing",
    );
  });
});
