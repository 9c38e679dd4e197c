import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ended } from "../processes/oddlink.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();

function login(i: number): { readonly key: null; readonly value: string } {
  return {
    key: null,
    value: JSON.stringify({ timeMs: i, user: "ann", sourceHost: "10.0.0.7", targetHost: "db" }),
  };
}

test("names come from a compacted topic that is followed: what was there before, what changes, what is deleted", {
  timeout: 120_000,
}, async (t) => {
  const running = await broker();
  const cluster = new WorkerCluster(t, running, 1, {
    ODDLINK_KAFKA_TOPICPREFIX: "resolved.",
    ODDLINK_KAFKA_GROUP: "resolved",
    ODDLINK_INPUT_RESOLUTION_HOSTS_TOPIC: "hosts",
  });
  await cluster.createTopics();
  await running.createTopics({
    raw: { partitions: 1 },
    hosts: { partitions: 2, config: { "cleanup.policy": "compact" } },
  });
  await cluster.produce([{ key: "10.0.0.7", value: "pc7" }], "hosts");
  await cluster.produce([login(0)], "raw");
  const worker = cluster.start(["normalize", "--from", "raw=oddlink", "--json"]);
  await sourceHosts(cluster, 1);
  const changes = [
    { key: "10.0.0.7", value: "pc8" },
    { key: "10.0.0.7", value: null },
  ] as const;
  for (const [i, change] of changes.entries()) {
    await cluster.produce([change], "hosts");
    // A table is followed beside the records, not in one order with them.
    await sleep(2000);
    await cluster.produce([login(i + 1)], "raw");
    await sourceHosts(cluster, i + 2);
  }
  assert.deepEqual(await sourceHosts(cluster, 3), ["pc7", "pc8", "10.0.0.7"]);
  worker.process.kill("SIGTERM");
  assert.equal(await ended(worker.process), 0, worker.output.stderr);
  const { hosts } = JSON.parse(worker.output.stdout).resolution;
  assert.deepEqual(
    { lookups: hosts.lookups, hits: hosts.hits, entries: hosts.entries },
    {
      lookups: 6,
      hits: 2,
      entries: 0,
    },
  );
});

/** Source hosts of the canonical logins, once there are so many. */
async function sourceHosts(cluster: WorkerCluster, count: number): Promise<string[]> {
  for (;;) {
    const logins = (await cluster.read(cluster.topics.logins)).flat();
    if (logins.length >= count) return logins.map(({ value }) => JSON.parse(String(value)).sourceHost);
    await sleep(100);
  }
}
