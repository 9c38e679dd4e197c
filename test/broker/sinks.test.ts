import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { webhookServer } from "../delivery/webhook-server.ts";
import { EXAMPLE_FILE, ended } from "../processes/oddlink.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();
const PARTITIONS = 2;
const DELIVERED_MS_MAX = 60_000;
const RECORDS = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: value.split(",")[1]!, value }));

test("alerts of workers reach a webhook, each at least once, whoever is killed and however long it is away", {
  timeout: 240_000,
}, async (t) => {
  // Takes some, is away for some time, and takes the rest.
  let isAway = false;
  const { url, received } = await webhookServer(t, () => (isAway ? 503 : 204));
  const statuses: boolean[] = [];
  const taken = (): string[] =>
    received.filter((_, i) => statuses[i]).map(({ headers }) => String(headers["ce-id"]));
  const cluster = new WorkerCluster(t, await broker(), PARTITIONS, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    ODDLINK_THRESHOLD: "1",
    ODDLINK_KAFKA_SESSIONTIMEOUTMS: "1500",
    ODDLINK_OUTPUTS_WEBHOOKS: JSON.stringify([{ name: "soar", url }]),
  });
  await cluster.createTopics();
  const observed = setInterval(() => {
    while (statuses.length < received.length) statuses.push(!isAway);
  }, 1);
  t.after(() => clearInterval(observed));
  const first = cluster.startWorker();
  const second = cluster.startWorker();
  const feeding = cluster.produce(RECORDS);
  for (const deadlineMs = performance.now() + DELIVERED_MS_MAX; taken().length < 20; await sleep(5))
    assert.ok(performance.now() < deadlineMs, `${taken().length} delivered: ${first.output.stderr}`);
  isAway = true;
  await feeding;
  await sleep(500);
  first.process.kill("SIGKILL");
  await ended(first.process);
  await cluster.produce(RECORDS.slice(13_000));
  const third = cluster.startWorker();
  await cluster.drained(60_000);
  await sleep(500);
  isAway = false;
  const alerts = (await cluster.read(cluster.topics.alerts)).flat();
  const ids = alerts.map(({ headers }) => String(headers["ce_id"]));
  const deadlineMs = performance.now() + DELIVERED_MS_MAX;
  while (new Set(taken()).size < ids.length && performance.now() < deadlineMs) await sleep(50);
  assert.deepEqual([...new Set(taken())].toSorted(), ids.toSorted());
  // What was on its way when a worker was killed may have come twice: one alert of each partition, not all of them.
  const again = taken().length - ids.length;
  assert.ok(again <= 2 * PARTITIONS, `${again} of ${ids.length} came again`);
  const bodies = new Map(alerts.map(({ headers, value }) => [String(headers["ce_id"]), String(value)]));
  for (const { headers, body } of received) assert.equal(body, bodies.get(String(headers["ce-id"])));
  const summaries = [await cluster.stop(second), await cluster.stop(third)] as unknown as {
    sinks: Record<string, { delivered: number; failedAttempts: number }>;
  }[];
  const delivered = summaries.map(({ sinks }) => sinks["webhook soar"]!.delivered);
  assert.ok(delivered.reduce((sum, one) => sum + one) > 0, delivered.join());
  t.diagnostic(
    `${ids.length} alerts, ${again} of them twice; delivered by the last two workers: ${delivered}`,
  );
});
