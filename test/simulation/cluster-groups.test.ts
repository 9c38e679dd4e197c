import assert from "node:assert/strict";
import { describe, test } from "node:test";
import {
  alert,
  GROUP,
  joinAs,
  newCluster,
  newProducer,
  positionAt,
  record,
  stable,
  tailOf,
  watch,
} from "./small-cluster.ts";

describe("groups", () => {
  test("partitions are given out among all who joined, and again when one leaves", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const first = await joinAs(cluster, a);
    await stable(cluster, 1);
    await cluster.time.run(100);
    assert.deepEqual(first.assignments, [[0, 1, 2, 3]]);
    const second = await joinAs(cluster, b);
    await stable(cluster, 2);
    await cluster.time.run(100);
    assert.equal(first.rebalances, 1);
    assert.equal(second.rebalances, 0);
    assert.deepEqual([...first.assignments[1]!, ...second.assignments[0]!].sort(), [0, 1, 2, 3]);
    assert.equal(await cluster.time.settle(second.membership.owns(second.assignments[0]![0]!)), true);
    assert.equal(await cluster.time.settle(second.membership.owns(first.assignments[1]![0]!)), false);
    const startMs = cluster.time.now();
    await cluster.time.settle(second.membership.leave());
    await stable(cluster, 1);
    assert(cluster.time.now() - startMs < 2 * cluster.timings.heartbeatIntervalMs);
    await cluster.time.run(100);
    assert.deepEqual(first.assignments[2], [0, 1, 2, 3]);
    assert.equal(second.assignments.length, 1);
  });

  test("reading goes on at the committed position, so what was not committed comes again", async () => {
    const cluster = newCluster();
    cluster.append(
      "logins",
      0,
      ["0", "1", "2", "3", "4"].map((value) => record(value)),
    );
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const first = await joinAs(cluster, a);
    await cluster.time.runUntil(() => first.offsets[0]?.length === 5, 10_000);
    const producer = await newProducer(cluster, a);
    await cluster.time.settle(producer.transact([], positionAt(3)));
    const second = await joinAs(cluster, b);
    await stable(cluster, 2);
    await cluster.time.run(1000);
    const again = [...first.offsets[0]!.slice(5), ...(second.offsets[0] ?? [])];
    assert.deepEqual(again, [3, 4]);
  });

  test("a killed member is replaced after its session, and neither is heard of it again", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    await joinAs(cluster, a);
    const second = await joinAs(cluster, b);
    await stable(cluster, 2);
    await cluster.time.run(2000);
    const producer = await newProducer(cluster, b);
    const transaction = watch(producer.transact([alert("1")]));
    await cluster.time.runUntil(() => cluster.offsets("alerts", 0).high === 1, 1000);
    const told = second.assignments.length;
    b.kill();
    const sleep = watch(b.time.sleep(1));
    const killedMs = cluster.time.now();
    await stable(cluster, 2);
    await cluster.time.runUntil(() => cluster.owners(GROUP).size === 1, 60_000);
    const { sessionTimeoutMs, heartbeatIntervalMs } = cluster.timings;
    const tookMs = cluster.time.now() - killedMs;
    assert(tookMs > sessionTimeoutMs - 2 * heartbeatIntervalMs, `${tookMs}`);
    assert(tookMs < sessionTimeoutMs + 2 * heartbeatIntervalMs, `${tookMs}`);
    // Its transaction is still open: only the timeout or a new producer ends it.
    assert.equal(cluster.offsets("alerts", 0).stable, 0);
    await cluster.time.run(30_000);
    assert.equal(cluster.offsets("alerts", 0).stable, 2);
    assert.deepEqual([transaction.isSettled, sleep.isSettled], [false, false]);
    assert.equal(second.assignments.length, told);
    assert.deepEqual(
      cluster.processes().map(({ name }) => name),
      ["a"],
    );
    cluster.process("b");
  });

  test("a paused member believes it owns its partitions until it is told, and everything due comes at once", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const zombie = await joinAs(cluster, a);
    await stable(cluster, 1);
    await cluster.time.run(2000);
    const timers: number[] = [];
    for (const delayMs of [100, 200, 20_000])
      void a.time.sleep(delayMs).then(() => timers.push(cluster.time.now()));
    a.pause();
    const pausedMs = cluster.time.now();
    cluster.append("logins", 0, [record("0")]);
    const owner = await joinAs(cluster, b);
    await stable(cluster, 1);
    await cluster.time.run(10_000);
    assert.deepEqual(owner.assignments.at(-1), [0, 1, 2, 3]);
    assert.deepEqual([zombie.assignments.length, zombie.rebalances, timers.length], [1, 0, 0]);
    assert.deepEqual(zombie.offsets[0] ?? [], []);
    a.resume();
    const resumedMs = cluster.time.now();
    await cluster.time.run(0);
    assert.deepEqual(timers, [resumedMs, resumedMs]);
    // What was fetched for it before it was thrown out is handed over all the same.
    assert.deepEqual(zombie.offsets[0], [0]);
    assert.equal(await cluster.time.settle(zombie.membership.owns(0)), false);
    await stable(cluster, 2);
    await cluster.time.run(1000);
    assert.equal(zombie.assignments.length, 2);
    assert.equal(zombie.rebalances, 0, "a member that was thrown out hears of it by its next assignment");
    await cluster.time.run(pausedMs + 20_001 - cluster.time.now());
    assert.equal(timers.length, 3);
  });

  test("a member that does not join again in time is left out", async () => {
    const cluster = newCluster(1, { timings: { sessionTimeoutMs: 30_000 } });
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    await joinAs(cluster, a);
    await joinAs(cluster, b);
    await stable(cluster, 2);
    await cluster.time.run(1500);
    b.pause();
    cluster.rebalance(GROUP);
    const startMs = cluster.time.now();
    assert.deepEqual(cluster.owners(GROUP), new Map());
    await stable(cluster, 1);
    assert(cluster.time.now() - startMs >= cluster.timings.rebalanceTimeoutMs);
    assert.deepEqual([...cluster.owners(GROUP)], [["a", [0, 1, 2, 3]]]);
  });

  test("a partition is read while it is not paused, from where it was last told", async () => {
    const cluster = newCluster();
    cluster.append(
      "logins",
      0,
      ["0", "1", "2"].map((value) => record(value)),
    );
    const member = await joinAs(cluster, cluster.process("a"));
    await cluster.time.runUntil(() => member.offsets[0]?.length === 3, 10_000);
    member.membership.pause(0);
    await cluster.time.run(200);
    cluster.append("logins", 0, [record("3")]);
    cluster.rebalance(GROUP);
    await cluster.time.run(10_000);
    assert.equal(member.assignments.length, 2);
    assert.deepEqual(member.offsets[0], [0, 1, 2], "the pause outlives the rebalance");
    member.membership.seek(0, 2);
    member.membership.resume(0);
    await cluster.time.run(100);
    assert.deepEqual(member.offsets[0], [0, 1, 2, 2, 3]);
    await cluster.time.settle(member.membership.leave());
    cluster.append("logins", 0, [record("4")]);
    await cluster.time.run(10_000);
    assert.equal(member.offsets[0]!.length, 5);
  });

  test("a place asked for during a rebalance holds after it; before the first assignment nothing does", async () => {
    const cluster = newCluster();
    cluster.append(
      "logins",
      0,
      ["0", "1", "2"].map((value) => record(value)),
    );
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    b.pause();
    const member = await joinAs(cluster, a);
    if (member.assignments.length === 0) member.membership.seek(0, 2);
    await cluster.time.runUntil(() => member.offsets[0]?.length === 3, 10_000);
    assert.deepEqual(member.offsets[0], [0, 1, 2]);
    cluster.rebalance(GROUP);
    await cluster.time.runUntil(() => member.rebalances === 1, 10_000);
    member.membership.seek(0, 1);
    await cluster.time.run(1000);
    assert.deepEqual(member.offsets[0], [0, 1, 2, 1, 2]);
  });

  test("what retention has deleted is passed, and the group's position forgotten", async () => {
    const cluster = newCluster();
    cluster.append(
      "logins",
      0,
      ["0", "1", "2"].map((value) => record(value)),
    );
    const worker = cluster.process("a");
    const producer = await newProducer(cluster, worker);
    await cluster.time.settle(producer.transact([], positionAt(1)));
    await cluster.time.run(100);
    cluster.trim("logins", 0, 2);
    const member = await joinAs(cluster, worker);
    await cluster.time.run(1000);
    assert.deepEqual(member.offsets[0], [2]);
    const [offset] = await cluster.time.settle(worker.client.committedOffsets(GROUP, "logins", [0]));
    assert.equal(offset, undefined);
  });

  test("a crash ends a membership and a tail for good", async () => {
    const cluster = newCluster();
    const worker = cluster.process("a");
    const member = await joinAs(cluster, worker);
    const { seen } = tailOf(worker, "alerts");
    await cluster.time.run(1000);
    for (const consumer of cluster.consumersOf(worker)) consumer.crash(new Error("gone"));
    assert.equal(member.crash?.message, "gone");
    assert.equal(seen.crash?.message, "gone");
    cluster.append("logins", 0, [record("0")]);
    cluster.append("alerts", 0, [record("0")]);
    await cluster.time.run(20_000);
    assert.deepEqual([member.offsets[0] ?? [], seen.records, cluster.consumersOf(worker)], [[], [], []]);
    assert.equal(cluster.owners(GROUP).size, 0);
  });
});
