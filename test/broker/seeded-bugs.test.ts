import assert from "node:assert/strict";
import { type TestContext, test } from "node:test";
import kafkajs from "kafkajs";
import { ended } from "../processes/oddlink.ts";
import type { Verdict } from "../verification/verifier.ts";
import { FaultBench, LIMIT_MS, PER_SECOND } from "./fault-bench.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";
import type { SeededBug } from "./worker-faults.ts";

const LOGINS = 6000;

/** Of a worker that does so all the time, to the end. */
async function verdictsOf(t: TestContext, broker: KafkaBroker, bug?: SeededBug): Promise<Verdict[]> {
  const bench = await FaultBench.open(t, broker, bug ?? "sound");
  const worker = bench.start(bug === undefined ? {} : { bug });
  await bench.feed(LOGINS);
  const { graph } = await bench.finish(worker);
  return bench.verdicts(graph.digest);
}

test("a worker with a mistake in it is found out by the verifier", { timeout: 400_000 }, async (t) => {
  const broker = await startBroker(t);

  await t.test("a sound one is not", async (t) => {
    assert.deepEqual(await verdictsOf(t, broker), ["ALL-RECORDS-ACCOUNTED"]);
  });

  await t.test("position committed before the outputs: RECORD-LOST", async (t) => {
    const bench = await FaultBench.open(t, broker, "early");
    const dying = bench.start({ bug: "commit-before-produce" });
    const gone = ended(dying.process);
    // It dies at a commit after the first few, however many logins those hold.
    bench.feeder.pace(PER_SECOND);
    await gone;
    bench.feeder.pace(0);
    assert.equal(dying.process.signalCode, "SIGKILL", dying.output.stderr);
    const worker = bench.start();
    await bench.feed(bench.feeder.written + LOGINS / 4);
    const { graph } = await bench.finish(worker);
    assert.ok((await bench.verdicts(graph.digest)).includes("RECORD-LOST"));
  });

  const found: readonly (readonly [string, SeededBug, Verdict])[] = [
    ["a dead letter dropped", "dead-letter-dropped", "RECORD-LOST"],
    ["a segment skipped", "segment-skipped", "STATE-DIVERGED"],
    ["a batch sent again without asking what became of it", "scored-twice", "RECORD-DUPLICATED"],
    ["and its alerts with it", "scored-twice", "ALERT-DUPLICATED"],
    ["an alert dropped", "alert-dropped", "ALERT-LOST"],
    ["an alert that says another score", "alert-with-another-score", "ALERT-DIFFERS"],
  ];
  const verdicts = new Map<SeededBug, Verdict[]>();
  for (const [mistake, bug, verdict] of found) {
    await t.test(`${mistake}: ${verdict}`, async (t) => {
      const known = verdicts.get(bug) ?? (await verdictsOf(t, broker, bug));
      verdicts.set(bug, known);
      assert.ok(known.includes(verdict), known.join());
    });
  }

  await t.test("a merged segment counted twice: STATE-DIVERGED", async (t) => {
    const bench = await FaultBench.open(t, broker, "twice");
    const bug = "sum-counted-twice";
    const first = bench.start({ bug });
    let fed = 0;
    do {
      fed += LOGINS / 4;
      assert.ok(fed <= 2 * LOGINS, "segments are not merged");
      await bench.feed(fed);
      await bench.cluster.drained(LIMIT_MS);
    } while (!(await bench.hasSum()));
    await bench.cluster.stop(first);
    const second = bench.start({ bug });
    await bench.feed(fed + LOGINS / 4);
    const { graph } = await bench.finish(second);
    assert.deepEqual(await bench.verdicts(graph.digest), ["STATE-DIVERGED"]);
  });

  await t.test("restored no further than an open transaction: STATE-DIVERGED", async (t) => {
    const bench = await FaultBench.open(t, broker, "stable");
    const dying = bench.start();
    await bench.feed(LOGINS / 3);
    await bench.cluster.drained(LIMIT_MS);
    // Somebody's transaction that hides all segments after it from those who read what is committed.
    const kafka = new kafkajs.Kafka({ brokers: [broker.brokers], logLevel: kafkajs.logLevel.NOTHING });
    const producer = kafka.producer({ transactionalId: "foreign", maxInFlightRequests: 1, idempotent: true });
    await producer.connect();
    t.after(() => producer.disconnect());
    const transaction = await producer.transaction();
    const messages = [{ key: "foreign", value: "never seen" }];
    for (let partition = 0; partition < FaultBench.PARTITIONS; partition++)
      await transaction.send({
        topic: bench.cluster.topics.graphState,
        messages: messages.map((message) => ({ ...message, partition })),
      });
    await bench.feed((2 * LOGINS) / 3);
    await bench.cluster.drained(LIMIT_MS);
    dying.process.kill("SIGKILL");
    await ended(dying.process);
    const worker = bench.start({ bug: "restored-to-the-last-stable-offset" });
    await bench.feed(LOGINS);
    await bench.cluster.drained(LIMIT_MS);
    await transaction.abort();
    const { graph } = await bench.finish(worker);
    // It does not know either which incidents were closed, and may close one again.
    const known = await bench.verdicts(graph.digest);
    assert.ok(known.includes("STATE-DIVERGED"), known.join());
  });
});
