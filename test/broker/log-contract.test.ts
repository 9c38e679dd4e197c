import { after } from "node:test";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { REAL_TIME } from "../../src/time.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { logContract } from "../conformance/log.ts";
import { type KafkaBroker, startBroker } from "./kafka-broker.ts";

const teardowns: (() => Promise<void>)[] = [];
/** Called inside a test, `after` would run at the end of that test. */
after(async () => {
  for (const teardown of teardowns) await teardown();
});

let broker: Promise<KafkaBroker> | undefined;
let worlds = 0;

logContract("the log on a real broker", { isShared: true }, async (t) => {
  broker ??= startBroker({ after: (teardown) => teardowns.push(teardown) });
  const { brokers } = await broker;
  const prefix = `world-${++worlds}.`;
  const topics = Object.fromEntries(
    Object.entries(TOPIC_NAMES).map(([key, name]) => [key, prefix + name]),
  ) as typeof TOPIC_NAMES;
  await (await broker).createTopics(
    Object.fromEntries(Object.values(topics).map((topic) => [topic, { partitions: 1 }])),
  );
  const newClient = () => new KafkajsClient({ brokers: [brokers], clientId: "test", sessionTimeoutMs: 6000 });
  const client = newClient();
  t.after(() => client.close());
  const feeder = client.producer(`${prefix}feeder`);
  await feeder.fence();
  const texts = async (topic: string): Promise<string[]> => {
    const [offsets] = await client.topicOffsets(topic);
    const values: string[] = [];
    for (let next = 0; next < offsets!.stable; ) {
      const { records, position } = await client.read(topic, 0, next);
      values.push(...records.map(({ value }) => String(value)));
      next = position;
    }
    return values;
  };
  return {
    open: async () => new KafkaLog(kafkaLogOptions(newClient(), REAL_TIME, topics)),
    append: (records) =>
      feeder.transact(records.map((value) => ({ topic: topics.logins, partition: 0, key: null, value }))),
    visible: async () => ({
      findings: await texts(topics.alerts),
      shadowFindings: await texts(topics.alertsShadow),
      scoredLogins: await texts(topics.scoredLogins),
      deadLetters: await texts(topics.deadLetters),
    }),
    time: REAL_TIME,
    run: (scenario) => scenario(),
  };
});
