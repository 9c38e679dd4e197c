import { describe, type TestContext, test } from "node:test";
import { groupContract } from "./kafka-client-groups.ts";
import { producerContract } from "./kafka-client-producers.ts";
import { type KafkaWorld, type Scenario, Stage } from "./kafka-client-stage.ts";
import { tailContract } from "./kafka-client-tails.ts";

export type { KafkaWorld } from "./kafka-client-stage.ts";

/** No test takes longer; of real time. */
const TEST_MS_MAX = 120_000;

/**
 * What the Kafka log relies on, whichever client and cluster it has.
 *
 * @param setup called once a test; may return the same cluster each time, topics and ids are new in each test
 */
export function kafkaClientContract(name: string, setup: (t: TestContext) => Promise<KafkaWorld>): void {
  let tests = 0;
  const scenario: Scenario = (behaviour, run) => {
    test(behaviour, { timeout: TEST_MS_MAX }, async (t) => {
      const world = await setup(t);
      await world.run(async () => {
        const stage = new Stage(world, `contract-${++tests}`);
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      });
    });
  };

  describe(name, () => {
    tailContract(scenario);
    producerContract(scenario);
    groupContract(scenario);
  });
}
