import type {
  JoinOptions,
  KafkaClient,
  Membership,
  PartitionOffsets,
  Tail,
  TailOptions,
  TransactionalProducer,
} from "./client.ts";
import { endWithin, type KafkaClientOptions, openKafka } from "./kafkajs-connection.ts";
import { KafkajsMembership } from "./kafkajs-membership.ts";
import { KafkajsProducer } from "./kafkajs-producer.ts";
import { KafkajsQueries } from "./kafkajs-queries.ts";
import { KafkajsTail } from "./kafkajs-tail.ts";

const CLOSE_MS_MAX = 6000;

/** A Kafka cluster through kafkajs 2.2.4, mended. Connects when it is first asked something. */
export class KafkajsClient implements KafkaClient {
  readonly #options: KafkaClientOptions;
  readonly #clock: () => number;
  readonly #queries: KafkajsQueries;
  readonly #toClose = new Set<() => Promise<void>>();

  /** @param clock milliseconds, for deadlines only */
  constructor(options: KafkaClientOptions, clock: () => number = Date.now) {
    this.#options = options;
    this.#clock = clock;
    this.#queries = new KafkajsQueries(openKafka(options).clusters, clock);
    this.#toClose.add(async () => this.#queries.close());
  }

  async join(options: JoinOptions): Promise<Membership> {
    const membership = await KafkajsMembership.join(
      openKafka(this.#options),
      this.#options,
      options,
      (group, topic) => this.#queries.groupAssignment(group, topic),
    );
    this.#toClose.add(() => membership.leave());
    return membership;
  }

  producer(transactionalId: string): TransactionalProducer {
    const open = () => openKafka(this.#options);
    const producer = new KafkajsProducer(open, transactionalId, this.#options, this.#clock);
    this.#toClose.add(() => producer.close());
    return producer;
  }

  tail(options: TailOptions): Tail {
    const tail = new KafkajsTail(openKafka(this.#options).clusters, options, this.#clock);
    this.#toClose.add(() => tail.close());
    return tail;
  }

  committedOffsets(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<(number | undefined)[]> {
    return this.#queries.committedOffsets(group, topic, partitions);
  }

  topicOffsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#queries.topicOffsets(topic);
  }

  async close(): Promise<void> {
    await endWithin(CLOSE_MS_MAX, Promise.allSettled([...this.#toClose].map((close) => close())));
  }
}
