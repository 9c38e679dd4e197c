import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe } from "node:test";
import { outcomeOf, position, record, type Scenario } from "./kafka-client-stage.ts";

/** Brokers refuse larger batches. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** What transactions do, and what fencing does. */
export function producerContract(scenario: Scenario): void {
  describe("a producer", () => {
    scenario("shuts out the earlier one of its id, whose next transaction fails as fenced", async (stage) => {
      const topic = await stage.topic(1);
      const group = stage.id("group");
      const zombie = await stage.producer(stage.id("worker"));
      await zombie.transact([record(topic, 0, "a")], position(group, topic, 0, 1));
      const owner = await stage.producer(stage.id("worker"));
      assert.equal(
        await outcomeOf(zombie.transact([record(topic, 0, "never")], position(group, topic, 0, 9))),
        "fenced",
      );
      await owner.transact([record(topic, 0, "b")], position(group, topic, 0, 2));
      assert.equal(await outcomeOf(zombie.transact([record(topic, 0, "never")])), "fenced");
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["a", "b"]);
      await stage.until("the position is that of the owner", async () => {
        const [offset] = await stage.client.committedOffsets(group, topic, [0]);
        return offset === 2;
      });
    });

    scenario("aborts what an earlier one left open as it fences", async (stage) => {
      const topic = await stage.topic(1);
      await stage.world.leaveOpen(stage.id("worker"), [record(topic, 0, "never")]);
      const owner = await stage.producer(stage.id("worker"));
      // Nobody waits for the transaction timeout: the way is free as soon as the owner has fenced.
      const [offsets] = await stage.client.topicOffsets(topic);
      assert.equal(offsets!.stable, offsets!.high);
      await owner.transact([record(topic, 0, "a")]);
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["a"]);
    });

    scenario("fences without writing anything", async (stage) => {
      const topic = await stage.topic(1);
      for (let i = 0; i < 3; i++) await stage.producer(stage.id("worker"));
      assert.deepEqual(await stage.client.topicOffsets(topic), [
        { partition: 0, low: 0, high: 0, stable: 0 },
      ]);
    });

    scenario("commits the group's position with the records, and only with them", async (stage) => {
      const topic = await stage.topic(2);
      const group = stage.id("group");
      const committed = () => stage.client.committedOffsets(group, topic, [1, 0]);
      assert.deepEqual(await committed(), [undefined, undefined]);
      const producer = await stage.producer();
      await producer.transact([record(topic, 0, "a")], position(group, topic, 0, 7));
      await stage.until("the position is committed", async () => (await committed())[1] === 7);
      assert.deepEqual(await committed(), [undefined, 7]);
      await producer.transact([], position(group, topic, 0, 8));
      await stage.until(
        "the position is committed without records",
        async () => (await committed())[1] === 8,
      );
      await producer.transact([]);
      assert.deepEqual(await committed(), [undefined, 8]);
    });

    scenario("can send again what was aborted, and nothing of the first attempt is seen", async (stage) => {
      const topic = await stage.topic(1);
      const group = stage.id("group");
      const producer = await stage.producer();
      await producer.transact([record(topic, 0, "a")]);
      const refused = [{ ...record(topic, 0, ""), value: Buffer.alloc(2 * RECORD_BYTES_MAX) }];
      assert.equal(await outcomeOf(producer.transact(refused, position(group, topic, 0, 5))), "aborted");
      await producer.transact([record(topic, 0, "b")], position(group, topic, 0, 1));
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual(tail.values(0), ["a", "b"]);
      await stage.until("the position is committed", async () => {
        const [offset] = await stage.client.committedOffsets(group, topic, [0]);
        return offset === 1;
      });
    });

    scenario("loses nothing after a transaction that one of its partitions refused", async (stage) => {
      const topic = await stage.topic(2);
      let producer = await stage.producer(stage.id("worker"));
      await producer.transact([record(topic, 0, "a")]);
      const tooLarge = { ...record(topic, 1, ""), value: Buffer.alloc(2 * RECORD_BYTES_MAX) };
      const outcome = await outcomeOf(producer.transact([record(topic, 0, "never"), tooLarge]));
      assert.ok(outcome !== "committed");
      if (outcome !== "aborted") producer = await stage.producer(stage.id("worker"));
      // As many records as were written in vain: the broker must not take them for a repetition.
      await producer.transact([record(topic, 0, "b")]);
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      assert.deepEqual([tail.values(0), tail.values(1)], [["a", "b"], []]);
    });

    scenario("writes to the partition it is told, else to the one of the key", async (stage) => {
      const topic = await stage.topic(4);
      const keys = ["u1", "u2", "u3", "u4", "u5", "u6", "u7", "u8"];
      for (const value of ["first", "second"]) {
        const producer = await stage.producer();
        await producer.transact(keys.map((key) => ({ topic, key, value })));
      }
      const told = await stage.producer();
      await told.transact([0, 1, 2, 3].map((partition) => ({ topic, partition, key: "u1", value: "told" })));
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      const partitions = [0, 1, 2, 3];
      for (const key of keys) {
        const home = partitions.filter((partition) =>
          tail
            .records(partition)
            .some((found) => String(found.key) === key && String(found.value) === "first"),
        );
        assert.equal(home.length, 1);
        const values = tail.records(home[0]!).filter((found) => String(found.key) === key);
        assert.deepEqual(
          values.slice(0, 2).map(({ value }) => String(value)),
          ["first", "second"],
        );
      }
      for (const partition of partitions) assert.equal(tail.values(partition).at(-1), "told");
    });

    scenario("takes a transaction of many megabytes and thousands of records, in order", async (stage) => {
      const topic = await stage.topic(2);
      const producer = await stage.producer();
      const count = 5000;
      await producer.transact(
        Array.from({ length: count }, (_, i) => ({
          ...record(topic, i % 2, ""),
          value: `${i}`.padEnd(600, "."),
        })),
      );
      const tail = stage.tail(topic);
      await tail.reachesEnd();
      for (const partition of [0, 1]) {
        assert.deepEqual(
          tail.values(partition).map((value) => Number.parseInt(value!, 10)),
          Array.from({ length: count / 2 }, (_, i) => 2 * i + partition),
        );
      }
    });
  });
}
