import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { joinAs, newCluster, record, stable, tailOf } from "./small-cluster.ts";

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
