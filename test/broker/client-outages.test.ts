import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { TransactionError } from "../../src/log/kafka/client.ts";
import { clientOf, reachesEnd, readGroup, readTail, TEST_MS_MAX, until } from "./client-reading.ts";
import { startBroker } from "./kafka-broker.ts";
import { ADD_PARTITIONS_TO_TXN, END_TXN, LosingProxy, PRODUCE, SYNC_GROUP } from "./losing-proxy.ts";

describe("a broker that goes away", () => {
  test("tail, member and producer go on when it comes back", { timeout: 2 * TEST_MS_MAX }, async (t) => {
    const broker = await startBroker(t);
    const topic = "restarted";
    await broker.createTopics({ [topic]: { partitions: 1 } });
    const client = clientOf(t, { brokers: [broker.brokers] });
    const tail = readTail(client, topic);
    const group = await readGroup(client, topic, topic);
    const written: string[] = [];
    let producer = client.producer(topic);
    await producer.fence();
    /** As the log does it: what is not known to be aborted is asked for, through a producer that fences the one before. */
    const write = async (value: string): Promise<void> => {
      written.push(value);
      for (;;) {
        try {
          const offset = written.length;
          await producer.transact([{ topic, key: "k", value }], {
            group: "writer",
            topic,
            partition: 0,
            offset,
          });
          return;
        } catch (error) {
          assert.ok(error instanceof TransactionError, `${error}`);
          if (error.outcome === "aborted") continue;
          await producer.close();
          producer = client.producer(topic);
          await producer.fence();
          const [committed] = await client.committedOffsets("writer", topic, [0]);
          if (committed === written.length) return;
        }
      }
    };
    const allRead = (what: string) =>
      until(`all is read ${what}`, () => {
        return tail.values.length >= written.length && group.values.length >= written.length;
      });
    await write("a");
    await allRead("before");
    await broker.kill();
    const during = write("b");
    await sleep(500);
    await broker.start();
    await during;
    await write("c");
    await allRead("after a kill");
    await broker.stop();
    await sleep(500);
    await broker.start();
    await write("d");
    await allRead("after a stop");
    assert.deepEqual(tail.values, ["a", "b", "c", "d"]);
    assert.deepEqual(group.values, ["a", "b", "c", "d"]);
    assert.deepEqual([...tail.crashes, ...group.crashes], []);

    // Hung, not dead: connections stay open and nothing is answered.
    const impatient = clientOf(t, {
      brokers: [broker.brokers],
      requestTimeoutMs: 1000,
      transactionTimeoutMs: 2000,
    });
    const patientTail = readTail(impatient, topic);
    await reachesEnd(client, topic, patientTail);
    const hung = impatient.producer("hung");
    await hung.fence();
    await hung.transact([{ topic, key: "k", value: "e" }]);
    broker.pause();
    const failed = await hung
      .transact([{ topic, key: "k", value: "never" }])
      .catch((error: unknown) => error);
    assert.ok(failed instanceof TransactionError, `${failed}`);
    assert.equal(failed.outcome, "unknown");
    broker.resume();
    const next = impatient.producer("hung");
    await next.fence();
    await next.transact([{ topic, key: "k", value: "f" }]);
    await until("it is read", () => patientTail.values.includes("f"));
    assert.deepEqual(patientTail.values, ["a", "b", "c", "d", "e", "f"]);
    assert.deepEqual(patientTail.crashes, []);
    // While there is somebody to say goodbye to.
    await Promise.all([client.close(), impatient.close()]);
  });

  test("requests and answers that are lost are made good, or the outcome is unknown", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const proxy = await LosingProxy.listen(t);
    const broker = await startBroker(t, { proxyPorts: [proxy.port] });
    proxy.forwardTo(broker.proxiedPort());
    const topic = "lost";
    await broker.createTopics({ [topic]: { partitions: 2 } });
    const client = clientOf(t, { brokers: [`127.0.0.1:${proxy.port}`], transactionTimeoutMs: 2000 });
    const tail = readTail(client, topic);
    const producer = client.producer(topic);
    await producer.fence();
    const expected: string[] = [];
    for (const request of [ADD_PARTITIONS_TO_TXN, PRODUCE, END_TXN]) {
      for (const what of ["request", "answer"] as const) {
        const value = `${what} ${request} lost twice`;
        proxy.lose(what, request, 2);
        await producer.transact([0, 1].map((partition) => ({ topic, partition, key: "k", value })));
        assert.equal(proxy.losses, 0, `${value}, but it was not`);
        expected.push(value);
      }
    }
    await reachesEnd(client, topic, tail);
    assert.deepEqual(tail.values, expected);

    const committed = async (): Promise<number | undefined> => {
      const [offset] = await client.committedOffsets("writer", topic, [0]);
      return offset;
    };
    for (const [what, offset, becomes] of [
      ["answer", 1, 1],
      ["request", 2, 1],
    ] as const) {
      const next = client.producer(topic);
      await next.fence();
      proxy.lose(what, END_TXN, Number.POSITIVE_INFINITY);
      const records = [{ topic, partition: 0, key: "k", value: `each ${what} lost` }];
      const position = { group: "writer", topic, partition: 0, offset };
      const error = await next.transact(records, position).catch((reason: unknown) => reason);
      assert.ok(error instanceof TransactionError, `${error}`);
      assert.equal(error.outcome, "unknown");
      // Of no use any more, whatever it is asked.
      await assert.rejects(next.transact(records), { outcome: "unknown" });
      proxy.lose(what, END_TXN, 0);
      await client.producer(topic).fence();
      // What was unknown is now settled: the first one was committed, the second one never will be.
      assert.equal(await committed(), becomes);
    }
    expected.push("each answer lost");
    await reachesEnd(client, topic, tail);
    assert.deepEqual(tail.values, expected);
    await client.close();
  });

  test("a member that is not told which partitions are its own asks again", {
    timeout: TEST_MS_MAX,
  }, async (t) => {
    const proxy = await LosingProxy.listen(t);
    const broker = await startBroker(t, { proxyPorts: [proxy.port] });
    proxy.forwardTo(broker.proxiedPort());
    const topic = "shared";
    await broker.createTopics({ [topic]: { partitions: 2 } });
    const member = async (brokers: string) => {
      const client = clientOf(t, { brokers: [brokers] });
      let assigned: readonly number[] | undefined;
      const membership = await client.join({
        group: topic,
        topic,
        onAssigned: (partitions) => {
          assigned = partitions;
        },
        onRebalancing: async () => {
          assigned = undefined;
        },
        onRecords: () => {},
        onCrash: (error) => assert.fail(error),
      });
      return { client, membership, assigned: () => assigned };
    };
    const first = await member(`127.0.0.1:${proxy.port}`);
    await until("it has both", () => first.assigned()?.length === 2);
    proxy.lose("answer", SYNC_GROUP, 1);
    const second = await member(broker.brokers);
    await until("each has one", () => first.assigned()?.length === 1 && second.assigned()?.length === 1);
    assert.equal(proxy.losses, 0, "no answer was lost");
    proxy.lose("answer", SYNC_GROUP, 1);
    await second.membership.leave();
    await until("the first has both again", () => first.assigned()?.length === 2);
    assert.equal(proxy.losses, 0, "no answer was lost");
    await Promise.all([first.client.close(), second.client.close()]);
  });
});
