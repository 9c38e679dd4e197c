import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { startBroker } from "./kafka-broker.ts";
import { LosingProxy } from "./losing-proxy.ts";

const LIMIT_MS = 60_000;

async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const deadlineMs = Date.now() + LIMIT_MS; !isSo(); await sleep(20))
    if (Date.now() > deadlineMs) assert.fail(`not within ${LIMIT_MS} ms: ${what}`);
}

test("a client that has lived through lost links leaves no connection behind", {
  timeout: 3 * LIMIT_MS,
}, async (t) => {
  const proxy = await LosingProxy.listen(t);
  const broker = await startBroker(t, { proxyPorts: [proxy.port] });
  proxy.forwardTo(broker.proxiedPort());
  await broker.createTopics({ logins: { partitions: 1 } });
  const feeder = new KafkajsClient({ brokers: [broker.brokers], clientId: "feeder" });
  t.after(() => feeder.close());
  const producer = feeder.producer("feeder");
  await producer.fence();
  const client = new KafkajsClient({
    brokers: [`127.0.0.1:${proxy.port}`],
    clientId: "test",
    sessionTimeoutMs: 2000,
    requestTimeoutMs: 1000,
  });
  t.after(() => client.close());
  let followed = 0;
  let consumed = 0;
  client.tail({
    topic: "logins",
    onRecords: (_, records) => (followed += records.length),
    onCrash: assert.fail,
  });
  await client.join({
    group: "group",
    topic: "logins",
    onAssigned: () => {},
    onRebalancing: async () => {},
    onRecords: (_, records) => (consumed += records.length),
    onCrash: assert.fail,
  });
  let written = 0;
  const reach = async (): Promise<void> => {
    await producer.transact([{ topic: "logins", key: null, value: String(++written) }]);
    await until("both readers have it", () => followed >= written && consumed >= written);
  };
  for (const link of ["half-open", "cut"] as const) {
    await reach();
    proxy.link = link;
    await sleep(2500);
    proxy.link = "whole";
  }
  await reach();
  assert.ok(proxy.connections > 0);
  await client.close();
  await until("all connections are closed", () => proxy.connections === 0);
});
