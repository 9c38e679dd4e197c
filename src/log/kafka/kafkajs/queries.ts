import kafkajs from "kafkajs";
import type { ConsumedRecord, PartitionOffsets } from "../client.ts";
import { type Asking, ask } from "./asking.ts";
import type { KafkaClusters } from "./clusters.ts";
import { type InternalBroker, type InternalCluster, READ_COMMITTED, READ_UNCOMMITTED } from "./internals.ts";

const FETCH_WAIT_MS = 50;
const FETCH_BYTES_MAX = 1024 * 1024;
/** What stands for the two ends of a log in place of a time. */
const LOG_START = -2;
const LOG_END = -1;

export type ReadRecords = {
  readonly records: readonly ConsumedRecord[];
  /** Everything committed below it has been read. */
  readonly position: number;
};

/** Questions to the brokers and coordinators, over connections of their own. Tries again while that may help. */
export class KafkajsQueries {
  readonly #clusters: KafkaClusters;
  readonly #cluster: InternalCluster;
  readonly #asking: Asking;

  constructor(clusters: KafkaClusters, clock: () => number) {
    this.#clusters = clusters;
    this.#cluster = clusters.create();
    this.#asking = { cluster: this.#cluster, clusters, clock };
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING */
  async topicOffsets(topic: string): Promise<PartitionOffsets[]> {
    return this.#ask(`reading the offsets of the topic ${topic}`, async () => {
      const metadata = await this.#cluster.metadata({ topics: [topic] });
      if (metadata === null) throw new kafkajs.KafkaJSConnectionError("no broker has answered");
      const partitions =
        metadata.topicMetadata.find((found) => found.topic === topic)?.partitionMetadata ?? [];
      const leaders = [...new Set(partitions.map(({ leader }) => leader))];
      const answers = await Promise.all(
        leaders.map(async (leader) => {
          const broker = await this.#cluster.findBroker({ nodeId: leader });
          const ids = partitions
            .filter((found) => found.leader === leader)
            .map(({ partitionId }) => partitionId);
          // All on one connection, which brokers answer in order: so the high watermark is not below the last stable offset.
          const [lows, stables, highs] = await Promise.all([
            listOffsets(broker, topic, ids, LOG_START, READ_UNCOMMITTED),
            listOffsets(broker, topic, ids, LOG_END, READ_COMMITTED),
            listOffsets(broker, topic, ids, LOG_END, READ_UNCOMMITTED),
          ]);
          return ids.map((partition) => ({
            partition,
            low: lows.get(partition)!,
            high: highs.get(partition)!,
            stable: stables.get(partition)!,
          }));
        }),
      );
      return answers.flat().toSorted((a, b) => a.partition - b.partition);
    });
  }

  /** @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED */
  async committedOffsets(
    group: string,
    topic: string,
    partitions: readonly number[],
  ): Promise<(number | undefined)[]> {
    return this.#ask(`reading where the group ${group} is`, async () => {
      const coordinator = await this.#cluster.findGroupCoordinator({ groupId: group });
      const asked = partitions.map((partition) => ({ partition }));
      const { responses } = await coordinator.offsetFetch({
        groupId: group,
        topics: [{ topic, partitions: asked }],
      });
      const found = new Map(
        responses
          .flatMap((response) => response.partitions)
          .map(({ partition, offset }) => [partition, Number(offset)]),
      );
      return partitions.map((partition) => {
        const offset = found.get(partition) ?? -1;
        return offset < 0 ? undefined : offset;
      });
    });
  }

  /** Partitions of a topic by member id. Empty while the group is giving them out anew: then nobody owns any. */
  async groupAssignment(group: string, topic: string): Promise<ReadonlyMap<string, readonly number[]>> {
    return this.#ask(`reading the members of the group ${group}`, async () => {
      const coordinator = await this.#cluster.findGroupCoordinator({ groupId: group });
      const { groups } = await coordinator.describeGroups({ groupIds: [group] });
      return new Map(
        groups
          .flatMap(({ members }) => members)
          .map(({ memberId, memberAssignment }) => {
            const decoded = kafkajs.AssignerProtocol.MemberAssignment.decode(memberAssignment);
            return [memberId, decoded?.assignment[topic] ?? []];
          }),
      );
    });
  }

  /**
   * Committed records of a partition from an offset on, as one fetch brings them, and how far that went: no further than
   * `offset` if there is nothing more.
   *
   * @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING
   */
  async read(topic: string, partition: number, offset: number): Promise<ReadRecords> {
    return this.#ask(`reading the topic ${topic}`, async () => {
      const metadata = await this.#cluster.metadata({ topics: [topic] });
      if (metadata === null) throw new kafkajs.KafkaJSConnectionError("no broker has answered");
      const partitions = metadata.topicMetadata.find((found) => found.topic === topic)?.partitionMetadata;
      const leader = partitions?.find(({ partitionId }) => partitionId === partition)?.leader ?? -1;
      const broker = await this.#cluster.findBroker({ nodeId: leader });
      const { responses } = await broker.fetch({
        maxWaitTime: FETCH_WAIT_MS,
        minBytes: 1,
        maxBytes: FETCH_BYTES_MAX,
        isolationLevel: READ_COMMITTED,
        topics: [
          { topic, partitions: [{ partition, fetchOffset: String(offset), maxBytes: FETCH_BYTES_MAX }] },
        ],
      });
      const messages = responses.flatMap((response) =>
        response.partitions.flatMap((found) => found.messages),
      );
      // A broker sends whole batches, the part before the position included.
      const read = messages.filter((message) => message.offset >= offset);
      return {
        records: read.filter(({ isControlRecord }) => !isControlRecord),
        position: Math.max(offset, ...read.slice(-1).map((message) => message.offset + 1)),
      };
    });
  }

  close(): void {
    this.#clusters.seal();
  }

  #ask<Answer>(doing: string, question: () => Promise<Answer>): Promise<Answer> {
    return ask(this.#asking, doing, question);
  }
}

async function listOffsets(
  broker: InternalBroker,
  topic: string,
  partitions: readonly number[],
  timestamp: number,
  isolationLevel: number,
): Promise<Map<number, number>> {
  const { responses } = await broker.listOffsets({
    isolationLevel,
    topics: [{ topic, partitions: partitions.map((partition) => ({ partition, timestamp })) }],
  });
  return new Map(
    responses
      .flatMap((response) => response.partitions)
      .map(({ partition, offset }) => [partition, Number(offset)]),
  );
}
