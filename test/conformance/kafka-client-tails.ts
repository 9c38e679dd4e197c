import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe } from "node:test";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";
import { LIMIT_MS, record, type Scenario } from "./kafka-client-stage.ts";

/** What a client that reads a topic by itself does. */
export function tailContract(scenario: Scenario): void {
  describe("a tail", () => {
    scenario("reads what was committed, in order, and its position passes the markers", async (stage) => {
      const topic = await stage.topic(2);
      const producer = await stage.producer();
      for (const value of ["a", "b", "c"]) await producer.transact([record(topic, 0, value)]);
      await producer.transact([record(topic, 0, "d"), record(topic, 1, "e")]);
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["a", "b", "c", "d"]);
      assert.deepEqual(tail.values(1), ["e"]);
      // Three and one, one and one: a marker for each transaction, written a moment after it.
      await stage.hasOffsets(topic, [
        { partition: 0, low: 0, high: 8, stable: 8 },
        { partition: 1, low: 0, high: 2, stable: 2 },
      ]);
      await tail.reachesEnd();
      assert.deepEqual([tail.position(0), tail.position(1)], [8, 2]);
    });

    scenario("of some partitions gets nothing of the others", async (stage) => {
      const topic = await stage.topic(3);
      const producer = await stage.producer();
      const all = (value: string) => [0, 1, 2].map((id) => record(topic, id, value));
      await producer.transact(all("a"));
      const tail = stage.tail(topic, [0, 2]);
      await stage.until("both are read", () => tail.position(0) > 0 && tail.position(2) > 0);
      await producer.transact(all("b"));
      await stage.until("both are read on", () => [0, 2].every((id) => tail.values(id).length === 2));
      await stage.quiet();
      assert.deepEqual([tail.values(0), tail.values(1), tail.position(1)], [["a", "b"], [], 0]);
    });

    scenario("goes on as the topic grows", async (stage) => {
      const topic = await stage.topic(1);
      const tail = stage.tail(topic);
      const producer = await stage.producer();
      for (const value of ["a", "b", "c"]) {
        await producer.transact([record(topic, 0, value)]);
        await stage.until(`${value} is read`, () => tail.values(0).at(-1) === value);
      }
      assert.deepEqual(tail.values(0), ["a", "b", "c"]);
    });

    scenario("hands over keys, headers, times and deletions as they were written", async (stage) => {
      const topic = await stage.topic(1);
      const startMs = stage.world.time.now();
      const producer = await stage.producer();
      await producer.transact([
        {
          topic,
          partition: 0,
          key: "k",
          value: Buffer.from([0, 255]),
          headers: { h: "text", b: Buffer.of(7) },
        },
        { topic, partition: 0, key: Buffer.from("deleted"), value: null },
        { topic, partition: 0, key: null, value: "" },
      ]);
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      const [first, second, third] = tail.records(0) as [ConsumedRecord, ConsumedRecord, ConsumedRecord];
      assert.equal(first.key?.toString(), "k");
      assert.deepEqual(first.value, Buffer.from([0, 255]));
      assert.equal(String(first.headers["h"]), "text");
      assert.deepEqual(first.headers["b"], Buffer.of(7));
      assert.ok(Math.abs(first.timestampMs - startMs) < LIMIT_MS, `time ${first.timestampMs}`);
      assert.deepEqual([String(second.key), second.value], ["deleted", null]);
      assert.deepEqual([third.key, third.value?.length], [null, 0]);
      assert.deepEqual(
        tail.records(0).map(({ offset }) => offset),
        [0, 1, 2],
      );
    });

    scenario("waits before an open transaction, and sees nothing of it once it is aborted", async (stage) => {
      const topic = await stage.topic(1);
      const other = await stage.producer();
      await other.transact([record(topic, 0, "before")]);
      await stage.world.leaveOpen(stage.id("dead"), [record(topic, 0, "never")]);
      await other.transact([record(topic, 0, "behind")]);
      const tail = stage.tail(topic);
      await stage.until("the first one is read", () => tail.values(0).length > 0);
      await stage.quiet();
      assert.deepEqual(tail.values(0), ["before"]);
      // before, its marker | never, behind, its marker
      await stage.hasOffsets(topic, [{ partition: 0, low: 0, high: 5, stable: 2 }]);
      assert.ok(tail.position(0) <= 2, `position ${tail.position(0)}`);
      await stage.producer(stage.id("dead"));
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["before", "behind"]);
    });

    scenario("sees nothing of aborted transactions that overlap", async (stage) => {
      const topic = await stage.topic(1);
      const committed = await stage.producer();
      await stage.world.leaveOpen(stage.id("first"), [record(topic, 0, "never"), record(topic, 0, "never")]);
      await stage.world.leaveOpen(stage.id("second"), [record(topic, 0, "never")]);
      await committed.transact([record(topic, 0, "committed")]);
      // What began last ends first: the broker lists aborted transactions by their end.
      await stage.producer(stage.id("second"));
      await stage.producer(stage.id("first"));
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["committed"]);
      const member = await stage.join(topic);
      await stage.until("the group has read it", () => member.values(0).length > 0);
      await stage.quiet();
      assert.deepEqual(member.values(0), ["committed"]);
    });

    scenario("says nothing any more once it is closed", async (stage) => {
      const topic = await stage.topic(1);
      const tail = stage.tail(topic);
      const producer = await stage.producer();
      await producer.transact([record(topic, 0, "a")]);
      await tail.reachesEnd();
      await tail.close();
      await producer.transact([record(topic, 0, "b")]);
      await stage.quiet();
      assert.deepEqual(tail.values(0), ["a"]);
    });
  });
}
