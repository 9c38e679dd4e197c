import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  alert,
  GROUP,
  joinAs,
  newCluster,
  newProducer,
  outcomeOf,
  positionAt,
  record,
  stable,
  tailOf,
  text,
  watch,
} from "./small-cluster.ts";

describe("the broker", () => {
  test("while it is away requests wait or fail, and afterwards all goes on", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const member = await joinAs(cluster, worker);
    const { seen } = tailOf(worker, "alerts");
    const producer = await newProducer(cluster, worker);
    await stable(cluster, 1);
    await cluster.time.run(100);
    cluster.restartBroker(3000);
    cluster.append("logins", 0, [record("0")]);
    const transaction = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    const watched = watch(transaction);
    await cluster.time.run(2900);
    assert.equal(watched.isSettled, false);
    assert.deepEqual(member.offsets[0] ?? [], []);
    assert.equal(await cluster.time.settle(transaction), "committed");
    await cluster.time.run(1000);
    assert.deepEqual(text(seen.records), ["1"]);
    assert.deepEqual(member.offsets[0], [0]);
    await cluster.time.run(20_000);
    assert.deepEqual([...cluster.owners(GROUP)], [["a", [0, 1, 2, 3]]]);
  });

  test("away for too long, it makes a client give up", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const producer = await newProducer(cluster, worker);
    cluster.restartBroker(60_000);
    assert.equal(await cluster.time.settle(outcomeOf(producer.transact([alert("1")]))), "unknown");
    await assert.rejects(cluster.time.settle(worker.client.topicOffsets("alerts")), /no answer/);
    await assert.rejects(cluster.time.settle(worker.client.producer("x").fence()), /no answer/);
  });

  test("a commit that is under way as it goes down may be lost, or not", async () => {
    const outcomes = { taken: 0, lost: 0 };
    for (let seed = 0; seed < 40; seed++) {
      const cluster = newCluster(seed);
      const worker = cluster.process("a");
      const producer = await newProducer(cluster, worker);
      const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
      await cluster.time.runUntil(() => cluster.trace.describe().includes("write offsets"), 1000);
      await cluster.time.run(seed / 10);
      cluster.restartBroker(500);
      if ((await cluster.time.settle(outcome)) !== "unknown") continue;
      await newProducer(cluster, worker);
      outcomes[cluster.committedOffset(GROUP, "logins", 0) === 1 ? "taken" : "lost"]++;
    }
    assert(outcomes.taken > 0 && outcomes.lost > 0, JSON.stringify(outcomes));
  });
});

describe("one process and the broker", () => {
  test("do not hear each other: the process works on, loses its partitions, and is told when it is heard again", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const lonely = await joinAs(cluster, a);
    await stable(cluster, 1);
    await cluster.time.run(2000);
    cluster.cutOff("a", "both ways", 12_000);
    cluster.append("logins", 0, [record("0")]);
    const sleep = watch(a.time.sleep(1000));
    const owner = await joinAs(cluster, b);
    await cluster.time.run(11_000);
    assert.equal(sleep.isSettled, true);
    assert.deepEqual(owner.assignments.at(-1), [0, 1, 2, 3]);
    assert.deepEqual([lonely.assignments.length, lonely.offsets[0] ?? []], [1, []]);
    await cluster.time.run(20_000);
    assert.equal(lonely.assignments.length, 2);
    assert.deepEqual([...cluster.owners(GROUP).keys()].sort(), ["a", "b"]);
  });

  test("hear each other one way only: a commit is made, and its producer does not know", async () => {
    const cluster = newCluster();
    const producer = await newProducer(cluster, cluster.process("a"));
    const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    await cluster.time.runUntil(() => cluster.trace.describe().includes("write offsets"), 1000);
    cluster.cutOff("a", "from the broker", 20_000);
    assert.equal(await cluster.time.settle(outcome), "unknown");
    assert.equal(cluster.committedOffset(GROUP, "logins", 0), 1);
  });

  test("the other way: a commit never arrives", async () => {
    const cluster = newCluster();
    const producer = await newProducer(cluster, cluster.process("a"));
    const outcome = outcomeOf(producer.transact([alert("1")], positionAt(1)));
    await cluster.time.runUntil(() => cluster.trace.describe().includes("write offsets"), 1000);
    cluster.cutOff("a", "to the broker", 20_000);
    assert.equal(await cluster.time.settle(outcome), "unknown");
    assert.equal(cluster.committedOffset(GROUP, "logins", 0), undefined);
  });

  test("have clocks of their own: a wall clock that jumps moves no timer", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const [wallMs, monotonicMs] = [worker.time.now(), worker.time.monotonicMs()];
    const sleep = watch(worker.time.sleep(1000));
    worker.setClock(-3_600_000);
    await cluster.time.run(900);
    assert.equal(sleep.isSettled, false);
    await cluster.time.run(100);
    assert.equal(sleep.isSettled, true);
    assert.equal(worker.time.now() - wallMs, 1000 - 3_600_000);
    assert.equal(worker.time.monotonicMs() - monotonicMs, 1000);
  });
});
