import type {
  JoinOptions,
  KafkaClient,
  Membership,
  PartitionOffsets,
  Tail,
  TailOptions,
  TransactionalProducer,
} from "../client.ts";
import type { BrokerReach } from "./broker-reach.ts";
import { endWithin, type KafkaClientOptions, type OpenKafka, openKafka, reachFor } from "./connection.ts";
import { KafkajsMembership } from "./membership.ts";
import { KafkajsProducer } from "./producer.ts";
import { KafkajsQueries, type ReadRecords } from "./queries.ts";
import { KafkajsTail } from "./tail.ts";

const CLOSE_MS_MAX = 6000;

/** What was opened through a client and may have been closed since. */
type Opened = { readonly isClosed: boolean; close(): Promise<void> };

/** A Kafka cluster through kafkajs 2.2.4, mended. Connects when it is first asked something. */
export class KafkajsClient implements KafkaClient {
  readonly #options: KafkaClientOptions;
  readonly #clock: () => number;
  readonly #reach: BrokerReach;
  readonly #queries: KafkajsQueries;
  #opened: Opened[] = [];

  /** @param clock milliseconds, for deadlines only */
  constructor(options: KafkaClientOptions, clock: () => number = () => performance.now()) {
    this.#options = options;
    this.#clock = clock;
    this.#reach = reachFor(options);
    this.#queries = new KafkajsQueries(this.#open().clusters, clock);
  }

  async join(options: JoinOptions): Promise<Membership> {
    const membership = await KafkajsMembership.join(this.#open(), this.#options, options, (group, topic) =>
      this.#queries.groupAssignment(group, topic),
    );
    this.#keep(membership);
    return membership;
  }

  producer(transactionalId: string, topics: readonly string[] = []): TransactionalProducer {
    const { clusters } = this.#open();
    const producer = new KafkajsProducer(clusters, transactionalId, topics, this.#options, this.#clock);
    this.#keep(producer);
    return producer;
  }

  tail(options: TailOptions): Tail {
    const tail = new KafkajsTail(this.#open().clusters, options, this.#clock);
    this.#keep(tail);
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

  /** Reads on from an offset when asked to, in no group; see `KafkajsQueries`. */
  read(topic: string, partition: number, offset: number): Promise<ReadRecords> {
    return this.#queries.read(topic, partition, offset);
  }

  /** Members of a group, each with its partitions of a topic. */
  groupAssignment(group: string, topic: string): Promise<ReadonlyMap<string, readonly number[]>> {
    return this.#queries.groupAssignment(group, topic);
  }

  async close(): Promise<void> {
    const closed = Promise.allSettled(this.#opened.map((opened) => opened.close()));
    await endWithin(CLOSE_MS_MAX, closed);
    this.#queries.close();
  }

  #open(): OpenKafka {
    return openKafka(this.#options, this.#reach);
  }

  /** Every owner of a partition opens producers again and again. */
  #keep(opened: Opened): void {
    this.#opened = [...this.#opened.filter(({ isClosed }) => !isClosed), opened];
  }
}
