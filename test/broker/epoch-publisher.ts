import type { Buffer } from "node:buffer";
import { epochRecords } from "../../src/engine/epoch-records.ts";
import type { KafkaClient, TransactionalProducer } from "../../src/log/kafka/client.ts";
import { buildEpoch } from "../../src/model/epoch.ts";
import { type TrainedModel, train } from "../../src/model/training/trainer.ts";
import { trainingOptionsSchema } from "../../src/model/training/training-options.ts";
import { twoCommunities } from "../model/graphs.ts";

const OPTIONS = trainingOptionsSchema.parse({ dimensions: 4, steps: 2 });

/** Trains once, and publishes the same model under one number after the other: workers adopt each. */
export class EpochPublisher {
  readonly #client: KafkaClient;
  readonly #topic: string;
  readonly #input = twoCommunities({ users: 40, hosts: 40, links: 200 });
  #model: TrainedModel | undefined;
  #producer: TransactionalProducer | undefined;
  #number = 0;

  constructor(client: KafkaClient, topic: string) {
    this.#client = client;
    this.#topic = topic;
  }

  /** @param change of the bytes of each record, if they are not to be those of a whole epoch */
  async publish(change: (key: string, value: Buffer) => Buffer = (_, value) => value): Promise<void> {
    const { graph, entityNames } = this.#input;
    this.#model ??= await train(graph, OPTIONS);
    if (this.#producer === undefined) {
      this.#producer = this.#client.producer(`publisher-${this.#topic}`);
      await this.#producer.fence();
    }
    const epoch = buildEpoch({
      number: ++this.#number,
      trainedAtMs: 0,
      model: this.#model,
      graph,
      entityNames,
      options: OPTIONS,
    });
    const records = epochRecords(epoch).map(({ key, value }) => ({
      topic: this.#topic,
      partition: 0,
      key,
      value: change(key, value as Buffer),
    }));
    await this.#producer.transact(records);
  }
}
