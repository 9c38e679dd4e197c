// Writes the logins of a file in LANL's form to a topic, for the trial of compose.yaml: moved in time, so that the last one is of now, and spread
// over FEED_SECONDS. A topic that holds as many records is left alone, so that a trial that is started again reads them once.
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";

const { FEED_BROKERS, FEED_TOPIC, FEED_FILE, FEED_SECONDS, ODDLINK_HOME = "/opt/oddlink" } = process.env;
const { Kafka, logLevel } = createRequire(`${ODDLINK_HOME}/package.json`)("kafkajs");
const BATCHES = 100;

const lines = gunzipSync(readFileSync(FEED_FILE)).toString().trimEnd().split("\n");
const timeOf = (line) => Number(line.slice(0, line.indexOf(",")));
const shift = Math.floor(Date.now() / 1000) - timeOf(lines.at(-1));
// Logins of an account stay in their order: a key has one partition.
const records = lines.map((line) => {
  const columns = line.split(",");
  return { key: columns[1], value: [timeOf(line) + shift, ...columns.slice(1)].join(",") };
});

const kafka = new Kafka({ clientId: "feeder", brokers: FEED_BROKERS.split(","), logLevel: logLevel.ERROR });
const [admin, producer] = [kafka.admin(), kafka.producer({ idempotent: true, maxInFlightRequests: 1 })];
// As process 1 it would not hear of a signal that nothing listens to.
process.on("SIGTERM", () => process.exit(143));
process.on("SIGINT", () => process.exit(130));

await admin.connect();
const partitions = await admin.fetchTopicOffsets(FEED_TOPIC);
await admin.disconnect();
const written = partitions.reduce((sum, { high }) => sum + Number(high), 0);
if (written >= records.length) console.log(`${FEED_TOPIC} holds ${written} records already`);
else {
  await producer.connect();
  const size = Math.ceil(records.length / BATCHES);
  for (let from = 0; from < records.length; from += size) {
    await producer.send({ topic: FEED_TOPIC, messages: records.slice(from, from + size) });
    await sleep((Number(FEED_SECONDS) * 1000) / BATCHES);
  }
  await producer.disconnect();
  console.log(`${records.length} logins written to ${FEED_TOPIC}`);
}
