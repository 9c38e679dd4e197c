import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import {
  type ConsumedRecord,
  type GroupPosition,
  type KafkaClient,
  type Membership,
  type PartitionOffsets,
  type ProducedRecord,
  type Tail,
  type TransactionalProducer,
  TransactionError,
  type TransactionOutcome,
} from "../../src/log/kafka/client.ts";
import type { Time } from "../../src/time.ts";

/** Anything that is to happen does so within this, also on a busy machine. */
const LIMIT_MS = 30_000;
const POLL_MS = 10;
/** Long enough for what must not happen to happen. */
const QUIET_MS = 300;
/** No test takes longer; of real time. */
const TEST_MS_MAX = 120_000;
/** Brokers refuse larger batches. */
const RECORD_BYTES_MAX = 1024 * 1024;

/** A Kafka cluster, and what the contract needs of it beside its clients. */
export type KafkaWorld = {
  /** A client of its own, as another process would have one. The contract closes it. */
  client(): KafkaClient;
  createTopic(topic: string, options: { readonly partitions: number }): Promise<void>;
  /** Writes records in a transaction and falls silent as a killed process does: neither commits nor aborts it. */
  leaveOpen(transactionalId: string, records: readonly ProducedRecord[]): Promise<void>;
  readonly time: Time;
  /** Runs a scenario to its end; where time is simulated, this is what makes it pass. */
  run(scenario: () => Promise<void>): Promise<void>;
};

/**
 * What the Kafka log relies on, whichever client and cluster it has.
 *
 * @param setup called once a test; may return the same cluster each time, topics and ids are new in each test
 */
export function kafkaClientContract(name: string, setup: (t: TestContext) => Promise<KafkaWorld>): void {
  let tests = 0;
  const scenario = (behaviour: string, run: (stage: Stage) => Promise<void>): void => {
    test(behaviour, { timeout: TEST_MS_MAX }, async (t) => {
      const world = await setup(t);
      await world.run(async () => {
        const stage = new Stage(world, `contract-${++tests}`);
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      });
    });
  };

  describe(name, () => {
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

      scenario(
        "waits before an open transaction, and sees nothing of it once it is aborted",
        async (stage) => {
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
        },
      );

      scenario("sees nothing of aborted transactions that overlap", async (stage) => {
        const topic = await stage.topic(1);
        const committed = await stage.producer();
        await stage.world.leaveOpen(stage.id("first"), [
          record(topic, 0, "never"),
          record(topic, 0, "never"),
        ]);
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

    describe("a producer", () => {
      scenario(
        "shuts out the earlier one of its id, whose next transaction fails as fenced",
        async (stage) => {
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
        },
      );

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
        await told.transact(
          [0, 1, 2, 3].map((partition) => ({ topic, partition, key: "u1", value: "told" })),
        );
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

    describe("members of a group", () => {
      scenario("share the partitions, and one that leaves hands over", async (stage) => {
        const topic = await stage.topic(4);
        const first = await stage.join(topic);
        await stage.until("one has all", () => first.assigned().length === 4);
        const second = await stage.join(topic, { client: stage.newClient() });
        await stage.until("two share", () => first.assigned().length === 2 && second.assigned().length === 2);
        assert.deepEqual([...first.assigned(), ...second.assigned()].toSorted(), [0, 1, 2, 3]);
        assert.ok(first.rebalances() > 0, "the first one was not told that partitions may be taken");
        const producer = await stage.producer();
        await producer.transact([0, 1, 2, 3].map((partition) => record(topic, partition, `v${partition}`)));
        await stage.until("each has read its own", () => {
          const read = (member: Member) =>
            member.assigned().every((id) => member.values(id).includes(`v${id}`));
          return read(first) && read(second);
        });
        const leftMs = stage.world.time.now();
        await second.membership.leave();
        await stage.until("the other one has all again", () => first.assigned().length === 4);
        // Its session would have lasted for six seconds.
        assert.ok(stage.world.time.now() - leftMs < 5500, "leaving was no quicker than dying");
        await stage.until("and reads them", () =>
          [0, 1, 2, 3].every((id) => first.values(id).includes(`v${id}`)),
        );
        assert.deepEqual([first.crashes, second.crashes], [[], []]);
      });

      scenario("finish what they have under way before others get their partitions", async (stage) => {
        const topic = await stage.topic(2);
        const work = Promise.withResolvers<void>();
        const first = await stage.join(topic, { finished: work.promise });
        await stage.until("one has both", () => first.assigned().length === 2);
        const second = await stage.join(topic, { client: stage.newClient() });
        await stage.until("the first one is told", () => first.rebalances() > 0);
        await stage.quiet();
        assert.deepEqual([first.assigned(), second.assigned()], [[0, 1], []]);
        work.resolve();
        await stage.until(
          "they share",
          () => first.assigned().length === 1 && second.assigned().length === 1,
        );
        assert.equal(first.rebalances(), 1);
      });

      scenario("hand over in time what they don't finish", async (stage) => {
        const topic = await stage.topic(2);
        const first = await stage.join(topic, { finished: new Promise(() => {}) });
        await stage.until("one has both", () => first.assigned().length === 2);
        const second = await stage.join(topic, { client: stage.newClient() });
        await stage.until(
          "they share",
          () => first.assigned().length === 1 && second.assigned().length === 1,
        );
        assert.deepEqual([first.crashes, second.crashes], [[], []]);
      });

      scenario("go on where the group committed", async (stage) => {
        const topic = await stage.topic(1);
        const group = stage.id("group");
        const producer = await stage.producer();
        await producer.transact(["a", "b", "c"].map((value) => record(topic, 0, value)));
        const first = await stage.join(topic, { group });
        await stage.until("all is read", () => first.values(0).length === 3);
        await producer.transact([], position(group, topic, 0, 2));
        await first.membership.leave();
        const second = await stage.join(topic, { group });
        await stage.until("the rest is read", () => second.values(0).length > 0);
        assert.deepEqual(second.values(0), ["c"]);
      });

      scenario("know from the coordinator what they own", async (stage) => {
        const topic = await stage.topic(2);
        const first = await stage.join(topic);
        await stage.until("it has both", () => first.assigned().length === 2);
        assert.deepEqual(await Promise.all([0, 1].map((id) => first.membership.owns(id))), [true, true]);
        const second = await stage.join(topic, { client: stage.newClient() });
        await stage.until(
          "they share",
          () => first.assigned().length === 1 && second.assigned().length === 1,
        );
        for (const member of [first, second]) {
          for (const id of [0, 1]) {
            assert.equal(await member.membership.owns(id), member.assigned().includes(id));
          }
        }
        await first.membership.leave();
        await stage.until("the first one owns nothing", async () => !(await first.membership.owns(0)));
        await stage.until("the second one owns both", async () => {
          const owned = await Promise.all([0, 1].map((id) => second.membership.owns(id)));
          return owned[0]! && owned[1]!;
        });
      });

      scenario("get nothing of a partition they have paused, also after a rebalance", async (stage) => {
        const topic = await stage.topic(2);
        const member = await stage.join(topic);
        await stage.until("it has both", () => member.assigned().length === 2);
        member.membership.pause(0);
        await stage.quiet();
        const producer = await stage.producer();
        const both = (value: string) => [0, 1].map((id) => record(topic, id, value));
        await producer.transact(both("a"));
        await stage.until("the other one is read", () => member.values(1).includes("a"));
        const guest = await stage.join(topic, { client: stage.newClient() });
        await stage.until("they share", () => guest.assigned().length === 1);
        await guest.membership.leave();
        await stage.until("it has both again", () => member.assigned().length === 2);
        await producer.transact(both("b"));
        await stage.until("the other one is read on", () => member.values(1).includes("b"));
        await stage.quiet();
        assert.deepEqual(member.values(0), []);
        member.membership.resume(0);
        await stage.until("all of it is read", () => member.values(0).length === 2);
        assert.deepEqual(member.values(0), ["a", "b"]);
      });

      scenario("read from where they are told", async (stage) => {
        const topic = await stage.topic(1);
        const producer = await stage.producer();
        await producer.transact(["a", "b", "c"].map((value) => record(topic, 0, value)));
        const member = await stage.join(topic);
        await stage.until("all is read", () => member.values(0).length === 3);
        member.clear();
        member.membership.seek(0, 1);
        await stage.until("the last two are read again", () => member.values(0).length === 2);
        assert.deepEqual(member.values(0), ["b", "c"]);
        // As after an assignment: held, put to its place, released.
        member.membership.pause(0);
        await stage.quiet();
        member.clear();
        member.membership.seek(0, 2);
        await stage.quiet();
        assert.deepEqual(member.values(0), []);
        member.membership.resume(0);
        await stage.until("the last one is read again", () => member.values(0).length > 0);
        assert.deepEqual(member.values(0), ["c"]);
      });

      scenario("read only what was committed", async (stage) => {
        const topic = await stage.topic(1);
        const producer = await stage.producer();
        await stage.world.leaveOpen(stage.id("dead"), [record(topic, 0, "never")]);
        await producer.transact([record(topic, 0, "a")]);
        const member = await stage.join(topic);
        await stage.until("it is assigned", () => member.assigned().length === 1);
        await stage.quiet();
        assert.deepEqual(member.values(0), []);
        await stage.producer(stage.id("dead"));
        await stage.until("the committed one is read", () => member.values(0).length > 0);
        assert.deepEqual(member.values(0), ["a"]);
      });

      scenario("leave when their client is closed", async (stage) => {
        const topic = await stage.topic(2);
        const client = stage.newClient();
        const first = await stage.join(topic, { client });
        const second = await stage.join(topic, { client: stage.newClient() });
        await stage.until(
          "they share",
          () => first.assigned().length === 1 && second.assigned().length === 1,
        );
        await client.close();
        await stage.until("the other one has both", () => second.assigned().length === 2);
        assert.deepEqual(first.crashes, []);
      });
    });
  });
}

function record(topic: string, partition: number, value: string): ProducedRecord {
  return { topic, partition, key: `key of ${value}`, value };
}

function position(group: string, topic: string, partition: number, offset: number): GroupPosition {
  return { group, topic, partition, offset };
}

async function outcomeOf(transaction: Promise<void>): Promise<TransactionOutcome | "committed"> {
  try {
    await transaction;
    return "committed";
  } catch (error) {
    assert.ok(error instanceof TransactionError, `not a TransactionError: ${error}`);
    return error.outcome;
  }
}

/** Records by partition, in the order in which they came; asserts that offsets only go up, as far as they must. */
class Read {
  readonly #records = new Map<number, ConsumedRecord[]>();
  readonly crashes: Error[] = [];

  records(partition: number): readonly ConsumedRecord[] {
    return this.#records.get(partition) ?? [];
  }

  values(partition: number): (string | undefined)[] {
    return this.records(partition).map(({ value }) => value?.toString());
  }

  clear(): void {
    this.#records.clear();
  }

  /** After a rebalance records may come a second time: only those not yet there count. */
  protected add(partition: number, records: readonly ConsumedRecord[]): void {
    const known = this.#records.get(partition) ?? [];
    for (let i = 1; i < records.length; i++) assert.ok(records[i]!.offset > records[i - 1]!.offset);
    const lastOffset = known.at(-1)?.offset ?? -1;
    this.#records.set(partition, [...known, ...records.filter(({ offset }) => offset > lastOffset)]);
  }
}

class TailReader extends Read {
  readonly #stage: Stage;
  readonly #topic: string;
  readonly #positions = new Map<number, number>();
  readonly #tail: Tail;

  /** @param partitions all if undefined */
  constructor(stage: Stage, topic: string, partitions: readonly number[] | undefined) {
    super();
    this.#stage = stage;
    this.#topic = topic;
    this.#tail = stage.client.tail({
      topic,
      ...(partitions === undefined ? {} : { partitions }),
      onRecords: (partition, records, next) => {
        const before = this.position(partition);
        assert.ok(next > before, `position ${next} after ${before}`);
        for (const { offset } of records) assert.ok(offset >= before && offset < next, `${offset}`);
        this.#positions.set(partition, next);
        this.add(partition, records);
      },
      onCrash: (error) => this.crashes.push(error),
    });
  }

  position(partition: number): number {
    return this.#positions.get(partition) ?? 0;
  }

  /** Resolves once the reader has passed all that is written now; a marker may follow. */
  async reachesEnd(): Promise<void> {
    const offsets = await this.#stage.client.topicOffsets(this.#topic);
    await this.#stage.until("the tail is at the end", () =>
      offsets.every(({ partition, high }) => this.position(partition) >= high),
    );
    assert.deepEqual(this.crashes, []);
  }

  close(): Promise<void> {
    return this.#tail.close();
  }
}

class Member extends Read {
  membership!: Membership;
  #assigned: readonly number[] = [];
  #rebalances = 0;

  assigned(): readonly number[] {
    return this.#assigned;
  }

  rebalances(): number {
    return this.#rebalances;
  }

  /** @param finished what it has to finish before it joins again */
  static async join(
    client: KafkaClient,
    group: string,
    topic: string,
    finished: Promise<void>,
  ): Promise<Member> {
    const member = new Member();
    member.membership = await client.join({
      group,
      topic,
      onAssigned: (partitions) => {
        member.#assigned = partitions;
      },
      onRebalancing: () => {
        member.#rebalances++;
        return finished;
      },
      onRecords: (partition, records) => member.add(partition, records),
      onCrash: (error) => member.crashes.push(error),
    });
    return member;
  }
}

/** One test: its clients, and names that no other test has. */
class Stage {
  readonly world: KafkaWorld;
  readonly client: KafkaClient;
  readonly #name: string;
  readonly #clients: KafkaClient[] = [];
  #names = 0;

  constructor(world: KafkaWorld, name: string) {
    this.world = world;
    this.#name = `${name}-${Math.floor(world.time.now()).toString(36)}`;
    this.client = this.newClient();
  }

  newClient(): KafkaClient {
    const client = this.world.client();
    this.#clients.push(client);
    return client;
  }

  id(name: string): string {
    return `${this.#name}-${name}`;
  }

  async topic(partitions: number): Promise<string> {
    const topic = this.id(`topic-${this.#names++}`);
    await this.world.createTopic(topic, { partitions });
    return topic;
  }

  /** A producer that has fenced, of a client of its own. */
  async producer(id = this.id(`producer-${this.#names++}`)): Promise<TransactionalProducer> {
    const producer = this.newClient().producer(id);
    await producer.fence();
    return producer;
  }

  tail(topic: string, partitions?: readonly number[]): TailReader {
    return new TailReader(this, topic, partitions);
  }

  /** By default in the one group of this test, as the one member of its client. */
  join(
    topic: string,
    { group = this.id("group"), client = this.client, finished = Promise.resolve() } = {},
  ): Promise<Member> {
    return Member.join(client, group, topic, finished);
  }

  async until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
    const deadlineMs = this.world.time.now() + LIMIT_MS;
    while (!(await condition())) {
      if (this.world.time.now() > deadlineMs) assert.fail(`not within ${LIMIT_MS} ms: ${what}`);
      await this.world.time.sleep(POLL_MS);
    }
  }

  async hasOffsets(topic: string, expected: readonly PartitionOffsets[]): Promise<void> {
    let actual: readonly PartitionOffsets[] = [];
    await this.until("the offsets are as expected", async () => {
      actual = await this.client.topicOffsets(topic);
      return isDeepStrictEqual(actual, expected);
    }).catch(() => assert.deepEqual(actual, expected));
  }

  async quiet(): Promise<void> {
    await this.world.time.sleep(QUIET_MS);
  }

  async close(): Promise<void> {
    await Promise.all(this.#clients.map((client) => client.close()));
  }
}
