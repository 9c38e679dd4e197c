import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { type TestContext, test } from "node:test";
import { gunzipSync } from "node:zlib";
import { ecsViolations } from "../alerts/ecs-fields.ts";
import { violations } from "../alerts/ocsf-schema.ts";
import { EXAMPLE_FILE } from "../processes/oddlink.ts";
import { startApicurio } from "./apicurio.ts";
import { readWithKcat, readWithPython } from "./foreign-clients.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();
const RECORDS = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: value.split(",")[1]!, value }));

/** A worker has scored all records, and is gone. */
async function scored(
  t: TestContext,
  name: string,
  settings: Readonly<Record<string, string>>,
): Promise<WorkerCluster> {
  const cluster = new WorkerCluster(t, await broker(), 1, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    // Every login is an alert, of whichever signal orders it first.
    ODDLINK_THRESHOLD: "1",
    ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
    ODDLINK_KAFKA_TOPICPREFIX: `${name}.`,
    ODDLINK_KAFKA_GROUP: name,
    ...settings,
  });
  await cluster.createTopics();
  await cluster.produce(RECORDS);
  const worker = cluster.startWorker();
  await cluster.drained(60_000);
  await cluster.stop(worker);
  return cluster;
}

test("kcat and a consumer in Python read alerts and scored logins in JSON as they were written", {
  timeout: 360_000,
}, async (t) => {
  const cluster = await scored(t, "json", {});
  const { brokers } = await broker();
  const alerts = (await cluster.read(cluster.topics.alerts)).flat();
  assert.ok(alerts.length > 20, `${alerts.length} alerts`);
  const expected = alerts.map(({ key, value }) => `${key} ${value}`).toSorted();
  const [byKcat, byPython] = [
    readWithKcat(brokers, cluster.topics.alerts),
    readWithPython(brokers, cluster.topics.alerts, alerts.length),
  ];
  for (const found of [byKcat, byPython]) {
    assert.deepEqual(found.map(({ key, value }) => `${key} ${JSON.stringify(value)}`).toSorted(), expected);
    for (const { key, headers, value } of found) {
      assert.deepEqual(violations(value), []);
      const { uid, correlation_uid } = value["metadata"] as Record<string, string>;
      assert.equal(key, correlation_uid);
      assert.equal(headers["ce_id"], uid);
      assert.equal(headers["ce_specversion"], "1.0");
      assert.equal(headers["ce_type"], "oddlink.detection-finding");
      assert.equal(headers["content-type"], "application/json");
      assert.equal(Date.parse(headers["ce_time"]!), value["time"]);
      assert.equal(headers["oddlink-source-topic"], cluster.topics.logins);
      assert.match(headers["ce_source"]!, /^\/json\.logins\/[01]$/);
    }
  }
  const logins = readWithKcat(brokers, cluster.topics.scoredLogins);
  assert.equal(logins.length, (await cluster.read(cluster.topics.scoredLogins)).flat().length);
  for (const { key, value } of logins) assert.equal(key, value["user"]);
});

for (const format of ["ocsf", "ecs"] as const) {
  test(`a consumer in Python reads alerts as ${format}, and scored logins, in Avro by the schemas that were registered`, {
    timeout: 360_000,
  }, async (t) => {
    const apicurio = await startApicurio(t);
    const cluster = await scored(t, `avro-${format}`, {
      ODDLINK_INPUT_REGISTRY_URL: apicurio.url,
      ODDLINK_OUTPUTS_ENCODING: "avro",
      ODDLINK_OUTPUTS_ALERTFORMAT: format,
    });
    const { brokers } = await broker();
    const count = (await cluster.read(cluster.topics.alerts)).flat().length;
    assert.ok(count > 20, `${count} alerts`);
    const alerts = readWithPython(brokers, cluster.topics.alerts, count, apicurio.url);
    for (const { headers, value } of alerts) {
      assert.equal(headers["content-type"], "application/avro");
      if (format === "ocsf") {
        assert.equal((value["metadata"] as Record<string, string>)["uid"], headers["ce_id"]);
        const [evidence] = value["evidences"] as readonly { readonly data: string }[];
        assert.equal(JSON.parse(evidence!.data).detector, "default");
      } else {
        assert.equal((value["event"] as Record<string, string>)["id"], headers["ce_id"]);
        const { timestamp, ...rest } = value;
        const signal = JSON.parse(JSON.stringify(rest, (_, inner) => inner ?? undefined));
        assert.deepEqual(ecsViolations({ "@timestamp": timestamp, ...signal }), []);
      }
    }
    const scoredLogins = (await cluster.read(cluster.topics.scoredLogins)).flat().length;
    const logins = readWithPython(brokers, cluster.topics.scoredLogins, scoredLogins, apicurio.url);
    for (const { key, value } of logins) {
      assert.equal(key, value["user"]);
      assert.ok((value["score"] as number) > 0 && (value["score"] as number) <= 1);
    }
  });
}
