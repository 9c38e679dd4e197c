import assert from "node:assert/strict";
import { describe } from "node:test";
import { type Member, position, record, type Scenario } from "./kafka-client-stage.ts";

/** What the members of a group do. */
export function groupContract(scenario: Scenario): void {
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
      await stage.until("they share", () => first.assigned().length === 1 && second.assigned().length === 1);
      assert.equal(first.rebalances(), 1);
    });

    scenario("hand over in time what they don't finish", async (stage) => {
      const topic = await stage.topic(2);
      const first = await stage.join(topic, { finished: new Promise(() => {}) });
      await stage.until("one has both", () => first.assigned().length === 2);
      const second = await stage.join(topic, { client: stage.newClient() });
      await stage.until("they share", () => first.assigned().length === 1 && second.assigned().length === 1);
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
      await stage.until("they share", () => first.assigned().length === 1 && second.assigned().length === 1);
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
      await stage.until("they share", () => first.assigned().length === 1 && second.assigned().length === 1);
      await client.close();
      await stage.until("the other one has both", () => second.assigned().length === 2);
      assert.deepEqual(first.crashes, []);
    });
  });
}
