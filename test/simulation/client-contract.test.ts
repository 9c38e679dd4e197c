import { TransactionError } from "../../src/log/kafka/client.ts";
import { SimulatedCluster } from "../../src/log/simulated/cluster.ts";
import { Random } from "../../src/model/random.ts";
import { kafkaClientContract } from "../conformance/kafka-client.ts";

const SEEDS = 8;
/** Of virtual time: each scenario has many limits of its own. */
const SCENARIO_MS_MAX = 600_000;

for (let seed = 0; seed < SEEDS; seed++) {
  kafkaClientContract(`a client of the simulated cluster of seed ${seed}`, async () => {
    const cluster = new SimulatedCluster({
      random: (label) => new Random(seed, label),
      // The contract takes a commit that was answered for one that readers know of.
      timings: { markerMsMax: 0 },
    });
    let processes = 0;
    return {
      client: () => cluster.process(`process ${processes++}`).client,
      createTopic: async (topic, options) => cluster.createTopic(topic, options),
      leaveOpen: async (transactionalId, records) => {
        const dying = cluster.process(`process ${processes++}`);
        const producer = dying.client.producer(transactionalId);
        await producer.fence();
        cluster.failNext("commit", "request-lost", dying.name);
        await producer.transact(records).catch((error: unknown) => {
          if (!(error instanceof TransactionError && error.outcome === "unknown")) throw error;
        });
        dying.kill();
      },
      time: {
        now: () => cluster.time.now(),
        monotonicMs: () => cluster.time.now(),
        sleep: (ms, signal) => cluster.time.sleep(ms, signal),
      },
      run: (scenario) => cluster.time.settle(scenario(), SCENARIO_MS_MAX),
    };
  });
}
