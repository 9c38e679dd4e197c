import { Buffer } from "node:buffer";
import { KafkaLog } from "../../src/log/kafka/kafka-log.ts";
import { TOPIC_NAMES } from "../../src/log/kafka/produced-records.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { Random } from "../../src/model/random.ts";
import { kafkaLogOptions } from "../conformance/kafka-world.ts";
import { logContract } from "../conformance/log.ts";

const SEEDS = 8;
/** Of virtual time: each scenario has many limits of its own. */
const SCENARIO_MS_MAX = 600_000;

for (let seed = 0; seed < SEEDS; seed++) {
  logContract(`the log on the simulated cluster of seed ${seed}`, { isShared: true }, async () => {
    const cluster = new SimulatedCluster({ random: (label) => new Random(seed, label) });
    for (const topic of Object.values(TOPIC_NAMES)) cluster.createTopic(topic, { partitions: 1 });
    let processes = 0;
    const texts = (topic: string): string[] =>
      cluster.committedRecords(topic, 0).map(({ value }) => String(value));
    return {
      open: async () => {
        const { client, time } = cluster.process(`process ${processes++}`);
        return new KafkaLog(kafkaLogOptions(client, time));
      },
      append: async (records) => {
        cluster.append(
          TOPIC_NAMES.logins,
          0,
          records.map((record) => ({ key: null, value: Buffer.from(record) })),
        );
      },
      visible: async () => ({
        findings: texts(TOPIC_NAMES.alerts),
        shadowFindings: texts(TOPIC_NAMES.alertsShadow),
        scoredLogins: texts(TOPIC_NAMES.scoredLogins),
        deadLetters: texts(TOPIC_NAMES.deadLetters),
      }),
      time: {
        now: () => cluster.time.now(),
        monotonicMs: () => cluster.time.now(),
        sleep: (ms, signal) => cluster.time.sleep(ms, signal),
      },
      run: (scenario) => cluster.time.settle(scenario(), SCENARIO_MS_MAX),
    };
  });
}
