import { setTimeout as sleep } from "node:timers/promises";
import { OddlinkError } from "../../../errors.ts";
import type { KafkaClusters } from "./clusters.ts";
import { type KafkaClientOptions, openKafka, REQUEST_TIMEOUT_MS, requireWithin } from "./connection.ts";
import { Coordinator } from "./coordinator.ts";
import { type InternalCluster, READ_UNCOMMITTED } from "./internals.ts";
import { asKafkaError, brokerErrorType } from "./kafka-errors.ts";
import { type ProducerIdentity, TransactionalSends } from "./sends.ts";

const STEP_MS_MAX = 5000;
const TRANSACTION_TIMEOUT_MS = 30_000;
const MARKER_MS_MAX = 2000;
const MARKER_POLL_MS = 20;
const FETCH_BYTES_MAX = 64 * 1024;
/** No broker has given this out, so a request that names it can't touch anything. */
const NOBODY: ProducerIdentity = { producerId: "9223372036854775806", producerEpoch: 0 };

export type RehearsalOptions = {
  /** Must be nobody else's: whoever has it is shut out. */
  readonly transactionalId: string;
  /** Each gets one record into its partition 0, which nobody will see. */
  readonly topics: readonly string[];
  /** A position that the group has: it is written again, and taken back. */
  readonly position: { readonly group: string; readonly topic: string; readonly offset: number };
  /** One of the topics, that may be read too: tells the broker's time. Where its partition 0 ends. */
  readonly clock: { readonly topic: string; readonly end: number } | undefined;
};

export type Rehearsal = {
  /** What failed, by topic; undefined for those that can be written. */
  readonly topics: ReadonlyMap<string, Error | undefined>;
  readonly group: Error | undefined;
  /** How far the broker's clock is ahead of this one, at least and at most; undefined if it could not be told. */
  readonly clockAheadMs: readonly [min: number, max: number] | undefined;
};

/**
 * Does what a worker does to write, in a transaction that is aborted: nothing of it will be seen by who reads committed
 * records only.
 *
 * The marker that ends the transaction is stamped by the broker, and so tells its time.
 */
export class KafkajsRehearsal {
  readonly #clusters: KafkaClusters;
  readonly #cluster: InternalCluster;
  readonly #sends: TransactionalSends;

  constructor(options: KafkaClientOptions, clock: () => number = () => performance.now()) {
    this.#clusters = openKafka(options).clusters;
    this.#cluster = this.#clusters.create();
    this.#sends = new TransactionalSends(
      this.#cluster,
      options.compression ?? "none",
      REQUEST_TIMEOUT_MS,
      clock,
    );
  }

  /**
   * Whether this user may write as `transactionalId`, which may be in use: its owner notices nothing.
   *
   * @throws {OddlinkError} KAFKA_DENIED, KAFKA_UNREACHABLE
   */
  async mayUse(transactionalId: string): Promise<void> {
    const coordinator = new Coordinator(this.#cluster, "transaction", transactionalId);
    const request = { transactionalId, ...NOBODY, transactionResult: false };
    const doing = `using the transactional id ${transactionalId}`;
    const error = await errorOf(
      doing,
      coordinator.ask((broker) => broker.endTxn(request)),
    );
    // The broker looks at permissions first, and then finds that nobody has this producer id.
    if (error !== undefined && brokerErrorType(error) !== "INVALID_PRODUCER_ID_MAPPING") throw error;
  }

  /** @throws {OddlinkError} KAFKA_DENIED, KAFKA_UNREACHABLE if there can be no transaction of this id */
  async rehearse(options: RehearsalOptions): Promise<Rehearsal> {
    const { transactionalId, position, clock } = options;
    const coordinator = new Coordinator(this.#cluster, "transaction", transactionalId);
    const doing = `beginning as ${transactionalId}`;
    let identity: ProducerIdentity | undefined;
    const denied = await errorOf(
      doing,
      coordinator
        .ask((broker) =>
          broker.initProducerId({ transactionalId, transactionTimeout: TRANSACTION_TIMEOUT_MS }),
        )
        .then((found) => (identity = found)),
    );
    if (identity === undefined) throw denied ?? new Error(doing);
    const { producerId, producerEpoch } = identity;
    const name = { transactionalId, producerId, producerEpoch };
    const topics = new Map<string, Error | undefined>();
    const beganMs = Date.now();
    for (const topic of options.topics) {
      topics.set(topic, await this.#write(topic, coordinator, name));
      // It may still be tried, and must not be after the end: the broker ends the transaction itself.
      if (isTimeout(topics.get(topic))) throw topics.get(topic);
    }
    const { group, topic, offset } = position;
    const groupCoordinator = new Coordinator(this.#cluster, "group", group);
    const positions = [{ topic, partitions: [{ partition: 0, offset: String(offset) }] }];
    const writePosition = async () => {
      await coordinator.ask((broker) => broker.addOffsetsToTxn({ ...name, groupId: group }));
      await groupCoordinator.ask((broker) =>
        broker.txnOffsetCommit({ ...name, groupId: group, topics: positions }),
      );
    };
    const groupError = await errorOf(`writing a position of the group ${group}`, writePosition());
    if (isTimeout(groupError)) throw groupError;
    const isBegun = groupError === undefined || [...topics.values()].includes(undefined);
    if (isBegun) {
      const end = coordinator.ask((broker) => broker.endTxn({ ...name, transactionResult: false }));
      const aborted = await errorOf("aborting", end);
      if (aborted !== undefined) throw aborted;
    }
    const canTell = clock !== undefined && topics.has(clock.topic) && topics.get(clock.topic) === undefined;
    const markedMs = canTell ? await this.#markerMs(clock.topic, clock.end) : undefined;
    return {
      topics,
      group: groupError,
      clockAheadMs: markedMs === undefined ? undefined : [markedMs - Date.now(), markedMs - beganMs],
    };
  }

  close(): void {
    this.#clusters.seal();
  }

  async #write(
    topic: string,
    coordinator: Coordinator,
    name: ProducerIdentity & { readonly transactionalId: string },
  ): Promise<Error | undefined> {
    const record = { topic, partition: 0, key: "oddlink-doctor", value: "written to be aborted" };
    const { transactionalId, ...identity } = name;
    const write = async () => {
      const plan = await this.#sends.plan([record]);
      const added = [{ topic, partitions: [0] }];
      await coordinator.ask((broker) => broker.addPartitionsToTxn({ ...name, topics: added }));
      await this.#sends.send(plan, transactionalId, identity);
    };
    return errorOf(`writing to ${topic}`, write());
  }

  /** The time of the newest marker at or after an offset of partition 0, as the broker stamped it. */
  async #markerMs(topic: string, end: number): Promise<number | undefined> {
    const untilMs = Date.now() + MARKER_MS_MAX;
    while (Date.now() < untilMs) {
      const markers = await this.#markersFrom(topic, end).catch(() => []);
      if (markers.length > 0) return Math.max(...markers);
      // The broker ends the transaction first, and writes its markers a moment later.
      await sleep(MARKER_POLL_MS);
    }
    return undefined;
  }

  async #markersFrom(topic: string, offset: number): Promise<number[]> {
    const partitions = this.#cluster.findTopicPartitionMetadata(topic);
    const leader = partitions.find(({ partitionId }) => partitionId === 0)?.leader ?? -1;
    const broker = await this.#cluster.findBroker({ nodeId: leader });
    const { responses } = await broker.fetch({
      maxWaitTime: MARKER_POLL_MS,
      minBytes: 1,
      maxBytes: FETCH_BYTES_MAX,
      // So that aborted records are not marked like markers: those have the time of who wrote them.
      isolationLevel: READ_UNCOMMITTED,
      topics: [
        { topic, partitions: [{ partition: 0, fetchOffset: String(offset), maxBytes: FETCH_BYTES_MAX }] },
      ],
    });
    return responses
      .flatMap((response) => response.partitions.flatMap(({ messages }) => messages))
      .filter((message) => message.isControlRecord && message.key !== null && message.offset >= offset)
      .map(({ timestampMs }) => timestampMs);
  }
}

async function errorOf(doing: string, work: Promise<unknown>): Promise<Error | undefined> {
  try {
    await requireWithin(STEP_MS_MAX, doing, work);
    return undefined;
  } catch (error) {
    return asKafkaError(error, doing);
  }
}

function isTimeout(error: Error | undefined): boolean {
  return error instanceof OddlinkError && error.code === "KAFKA_UNREACHABLE";
}
