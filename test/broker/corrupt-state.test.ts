import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { ended } from "../processes/oddlink.ts";
import { EpochPublisher } from "./epoch-publisher.ts";
import { FaultBench, LIMIT_MS } from "./fault-bench.ts";
import { startBroker } from "./kafka-broker.ts";

const LOGINS = 3000;

/** With a byte changed in the middle. */
function flipped(bytes: Buffer): Buffer {
  const changed = Buffer.from(bytes);
  changed[changed.length >> 1]! ^= 1;
  return changed;
}

test("what is corrupt in the topics of the state is named, and never summed up", {
  timeout: 300_000,
}, async (t) => {
  const broker = await startBroker(t);

  await t.test("a worker ends when it restores a segment that is not the one that was written", async (t) => {
    const bench = await FaultBench.open(t, broker, "segment");
    const { graphState } = bench.cluster.topics;
    const first = bench.start();
    await bench.feed(LOGINS);
    await bench.cluster.drained(LIMIT_MS);
    await bench.cluster.stop(first);

    const producer = bench.client.producer("vandal");
    await producer.fence();
    const [written] = (await bench.cluster.read(graphState))[1]!;
    const { key, value } = written!;
    await producer.transact([{ topic: graphState, partition: 1, key, value: flipped(value!) }]);
    const broken = bench.start();
    assert.equal(await ended(broken.process), 1, broken.output.stderr);
    assert.ok(broken.output.stderr.includes(`key ${key}: `), broken.output.stderr);

    await producer.transact([{ topic: graphState, partition: 1, key, value }]);
    const mended = bench.start();
    await bench.feed(2 * LOGINS);
    const { graph } = await bench.finish(mended);
    assert.deepEqual(await bench.verdicts(graph.digest), ["ALL-RECORDS-ACCOUNTED"]);
  });

  await t.test("a worker ends when somebody writes such a segment while it runs", async (t) => {
    const bench = await FaultBench.open(t, broker, "followed");
    const { graphState } = bench.cluster.topics;
    const first = bench.start();
    await bench.feed(LOGINS);
    await bench.cluster.drained(LIMIT_MS);

    const producer = bench.client.producer("other vandal");
    await producer.fence();
    const key = "000000/9999999999999999/000000";
    const cut = Buffer.from("no segment");
    await producer.transact([{ topic: graphState, partition: 0, key, value: cut }]);
    assert.equal(await ended(first.process), 1, first.output.stderr);
    assert.ok(first.output.stderr.includes(`key ${key}: `), first.output.stderr);

    await producer.transact([{ topic: graphState, partition: 0, key, value: null }]);
    const second = bench.start();
    await bench.feed(2 * LOGINS);
    const { graph } = await bench.finish(second);
    assert.deepEqual(await bench.verdicts(graph.digest), ["ALL-RECORDS-ACCOUNTED"]);
  });

  await t.test("a corrupt model is left out, and the next one is taken", async (t) => {
    const bench = await FaultBench.open(t, broker, "epoch");
    const { epochs, scoredLogins } = bench.cluster.topics;
    const publisher = new EpochPublisher(bench.client, epochs);
    const worker = bench.start();
    await publisher.publish((key, value) => (key.endsWith("manifest") ? value : flipped(value)));
    await bench.feed(LOGINS);
    await bench.cluster.drained(LIMIT_MS);
    await publisher.publish();
    // It travels beside the logins.
    for (let fed = 2 * LOGINS; !(await hasEpoch(2)); fed += LOGINS) {
      assert.ok(fed < 20 * LOGINS, `it is not adopted: ${worker.output.stderr}`);
      await bench.feed(fed);
      await bench.cluster.drained(LIMIT_MS);
    }
    const { graph } = await bench.finish(worker);
    assert.deepEqual(await bench.verdicts(graph.digest), ["ALL-RECORDS-ACCOUNTED"]);
    assert.ok(!(await hasEpoch(1)));
    assert.match(worker.output.stderr, /going on with the model before: .*epoch 1/s);

    async function hasEpoch(number: number): Promise<boolean> {
      const scored = (await bench.cluster.read(scoredLogins)).flat();
      return scored.some(({ value }) => JSON.parse(value!.toString()).epoch === number);
    }
  });
});
