import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, test } from "node:test";
import {
  type ConsumedRecord,
  type GroupPosition,
  type JoinOptions,
  type Membership,
  TransactionError,
  type TransactionOutcome,
} from "../../src/log/kafka/client.ts";
import { type ClusterOptions, SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import type { SimulatedProcess } from "../../src/log/simulated/simulated-process.ts";
import { VirtualTime } from "../../src/log/simulated/virtual-time.ts";
import { Random } from "../../src/model/random.ts";

const GROUP = "workers";

function newCluster(seed = 1, options: Partial<ClusterOptions> = {}): SimulatedCluster {
  const cluster = new SimulatedCluster({
    random: (label) => new Random(seed, label),
    undefinedOffsetChance: 0,
    ...options,
    timings: { slowLatencyChance: 0, ...options.timings },
  });
  cluster.createTopic("logins", { partitions: 4 });
  cluster.createTopic("alerts", { partitions: 2 });
  cluster.createTopic("state", { partitions: 1, isCompacted: true });
  return cluster;
}

const record = (value: string | null, key: string | null = null) => ({ key, value });
const alert = (value: string, partition = 0) => ({ topic: "alerts", partition, key: null, value });
const state = (key: string, value: string | null) => ({ topic: "state", partition: 0, key, value });
const positionAt = (offset: number): GroupPosition => ({
  group: GROUP,
  topic: "logins",
  partition: 0,
  offset,
});
const text = (records: readonly ConsumedRecord[]): (string | undefined)[] =>
  records.map(({ value }) => value?.toString());

async function newProducer(cluster: SimulatedCluster, process: SimulatedProcess, id = "input-0") {
  const producer = process.client.producer(id);
  await cluster.time.settle(producer.fence());
  return producer;
}

/** The outcome of a transaction, "committed" if it went well. */
function outcomeOf(transaction: Promise<void>): Promise<TransactionOutcome | "committed"> {
  return transaction.then(
    () => "committed" as const,
    (error: unknown) => {
      assert(error instanceof TransactionError, String(error));
      return error.outcome;
    },
  );
}

/** Whether a promise is settled, without waiting for it. */
function watch(promise: Promise<unknown>): { isSettled: boolean } {
  const watched = { isSettled: false };
  const note = (): void => {
    watched.isSettled = true;
  };
  promise.then(note, note);
  return watched;
}

/** Everything that a tail hands over, and how far it is. */
function tailOf(process: SimulatedProcess, topic: string) {
  const seen: { records: ConsumedRecord[]; positions: number[]; crash: Error | undefined } = {
    records: [],
    positions: [],
    crash: undefined,
  };
  const tail = process.client.tail({
    topic,
    onRecords: (partition, records, position) => {
      seen.records.push(...records);
      seen.positions[partition] = position;
    },
    onCrash: (error) => {
      seen.crash = error;
    },
  });
  return { tail, seen };
}

/** A member of the group that writes down what it is told. */
async function joinAs(cluster: SimulatedCluster, process: SimulatedProcess, topic = "logins") {
  const member = {
    assignments: [] as (readonly number[])[],
    rebalances: 0,
    offsets: [] as number[][],
    crash: undefined as Error | undefined,
    membership: undefined as unknown as Membership,
  };
  const options: JoinOptions = {
    group: GROUP,
    topic,
    onAssigned: (partitions) => member.assignments.push(partitions),
    onRebalancing: async () => void member.rebalances++,
    onRecords: (partition, records) => {
      (member.offsets[partition] ??= []).push(...records.map(({ offset }) => offset));
    },
    onCrash: (error) => {
      member.crash = error;
    },
  };
  member.membership = await cluster.time.settle(process.client.join(options));
  return member;
}

const stable = (cluster: SimulatedCluster, members: number): Promise<boolean> =>
  cluster.time.runUntil(() => cluster.owners(GROUP).size === members, 60_000);

describe("virtual time", () => {
  test("events run in the order of their time, and of their scheduling where that is the same", async () => {
    const time = new VirtualTime(1000);
    const order: string[] = [];
    time.schedule(20, () => order.push("c"));
    time.schedule(10, () => order.push("a"));
    time.schedule(10, () => order.push("b"));
    const cancelled = time.schedule(15, () => order.push("never"));
    time.cancel(cancelled);
    await time.run(50);
    assert.deepEqual(order, ["a", "b", "c"]);
    assert.equal(time.now(), 1050);
    assert.equal(time.eventCount, 3);
  });

  test("all that an event sets off in promises and ticks is done before the next event", async () => {
    const time = new VirtualTime(0);
    const order: string[] = [];
    const chain = async (): Promise<void> => {
      for (let i = 0; i < 50; i++) await null;
      await new Promise<void>((resolve) => process.nextTick(resolve));
      await Promise.all([null, Promise.resolve().then(() => {})]);
      order.push("chain");
    };
    time.schedule(1, () => void chain());
    time.schedule(1, () => order.push("next"));
    await time.run(2);
    assert.deepEqual(order, ["chain", "next"]);
  });

  test("a sleep ends in time, or as its signal is aborted", async () => {
    const time = new VirtualTime(0);
    const abort = new AbortController();
    time.schedule(30, () => abort.abort());
    await time.settle(time.sleep(10));
    assert.equal(time.now(), 10);
    await time.settle(time.sleep(1000, abort.signal));
    assert.equal(time.now(), 30);
    await time.settle(time.sleep(1000, abort.signal));
    assert.equal(time.now(), 30);
  });

  test("a promise that nothing settles is an error, and so is what an event throws", async () => {
    const time = new VirtualTime(0);
    await assert.rejects(time.settle(new Promise(() => {}), 100), /not settled within 100 ms/);
    time.schedule(1, () => {
      throw new Error("broken");
    });
    await assert.rejects(time.run(10), /broken/);
  });
});

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

describe("a client", () => {
  test("closed, it has left its groups and hears nothing more", async () => {
    const cluster = newCluster();
    const [a, b] = [cluster.process("a"), cluster.process("b")];
    const first = await joinAs(cluster, a);
    const second = await joinAs(cluster, b);
    const { seen } = tailOf(a, "alerts");
    await stable(cluster, 2);
    await cluster.time.run(100);
    await cluster.time.settle(a.client.close());
    cluster.append("alerts", 0, [record("0")]);
    await cluster.time.run(5000);
    assert.deepEqual(second.assignments.at(-1), [0, 1, 2, 3]);
    assert.equal(first.assignments.length, 2);
    assert.deepEqual(seen.records, []);
  });

  test("a topic that is not there is an error", async () => {
    const cluster = newCluster();
    const { client } = cluster.process("a");
    await assert.rejects(client.topicOffsets("nothing"), /no topic nothing/);
    assert.throws(
      () => client.tail({ topic: "nothing", onRecords: () => {}, onCrash: () => {} }),
      /no topic nothing/,
    );
  });
});
