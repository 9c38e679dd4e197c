import { OddlinkError } from "../../errors.ts";
import type {
  Assignment,
  Commit,
  CommitResult,
  Follower,
  KeyedRecord,
  KeyedTopic,
  Log,
  OutputEncodings,
  ReadProgress,
  RecordBatch,
} from "../port.ts";
import { appendRecords } from "./append-records.ts";
import type { KafkaClient } from "./client.ts";
import type { ConsumerStanding } from "./consumer-meter.ts";
import { type ConsumedPartition, GroupConsumer, type GroupConsumerOptions } from "./group-consumer.ts";
import { KafkaBatch } from "./kafka-batch.ts";
import { KeyedFollower } from "./keyed-follower.ts";
import { OptionalFollower } from "./optional-follower.ts";
import { keyedRecord, producedRecords, type TopicNames } from "./produced-records.ts";

/** Records that are scored before other work has its turn: some milliseconds. */
const BATCH_RECORDS_MAX = 1000;
/** The first ones of a partition that was given: its alerts are seen again before all that has piled up is scored. */
const BATCH_RECORDS_FIRST = 100;

const KEYS = { "graph-state": "graphState", epochs: "epochs", verdicts: "verdicts" } as const;

export type KafkaLogOptions = Omit<GroupConsumerOptions, "topic" | "prepare"> & {
  readonly topics: TopicNames;
  /** Longest record that is decoded, bytes. */
  readonly recordBytesMax: number;
  /** OCSF and JSON if left out. */
  readonly encodings?: OutputEncodings | undefined;
};

/** The log on a Kafka cluster: see the design notes in docs/architecture.md. */
export class KafkaLog implements Log {
  readonly isEndless = true;
  readonly isShared = true;
  readonly #options: KafkaLogOptions;
  readonly #logins: GroupConsumer;
  /** When each partition was committed last, milliseconds. */
  readonly #committedMs = new Map<number, number>();
  #graphState: KeyedFollower | undefined;
  #turns: Promise<void> = Promise.resolve();

  constructor(options: KafkaLogOptions) {
    this.#options = options;
    this.#logins = new GroupConsumer({
      ...options,
      topic: options.topics.logins,
      outputs: [options.topics.alerts, options.topics.graphState],
      prepare: (partition) => this.#reachGraphState(partition),
    });
  }

  /** How this member of the group stands, and its partitions. */
  get standing(): ConsumerStanding {
    return this.#logins.standing;
  }

  /** Closed with the log. */
  get client(): KafkaClient {
    return this.#options.client;
  }

  get commitIntervalMs(): number {
    return this.#logins.commitIntervalMs;
  }

  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    const { client, time, topics, onTrouble } = this.#options;
    if (topic === "verdicts")
      return new OptionalFollower({ client, time, topic: topics.verdicts, onRecord, onTrouble });
    // What can't be followed any more makes the graph, or the model, stand still: this process is of no use then.
    const follower = new KeyedFollower(client, this.#nameOf(topic), undefined, onRecord, (error) =>
      this.#logins.fail(error),
    );
    if (topic === "graph-state") this.#graphState = follower;
    return follower;
  }

  async *assignments(signal: AbortSignal): AsyncGenerator<Assignment> {
    for await (const given of this.#logins.partitions(signal)) {
      yield {
        partition: given.partition,
        topic: this.#options.topics.logins,
        position: { offset: given.offset, bytes: 0 },
        isNew: given.isNew,
        batches: this.#batches(given),
        release: () => given.release(),
      };
    }
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const records = [...producedRecords(commit, this.#options.topics, this.#options.encodings)];
    const result = await this.#logins.commit(commit.partition, records, commit.position.offset);
    this.#committedMs.set(commit.partition, this.#options.time.monotonicMs());
    return result;
  }

  async readBack(topic: KeyedTopic, partition: number): Promise<ReadonlyMap<string, Uint8Array>> {
    const values = new Map<string, Uint8Array>();
    const follower = new KeyedFollower(this.#options.client, this.#nameOf(topic), [partition], (record) => {
      if (record.value === null) values.delete(record.key);
      else values.set(record.key, record.value);
    });
    try {
      await follower.caughtUp();
    } finally {
      await follower.close();
    }
    return values;
  }

  append(_topic: "verdicts", record: KeyedRecord): Promise<void> {
    const { client, time, group, topics } = this.#options;
    return appendRecords(client, time, `${group}-verdicts`, [keyedRecord(topics.verdicts, 0, record)]);
  }

  totals(): undefined {
    return undefined;
  }

  progress(): ReadProgress {
    return { bytesRead: 0, bytesTotal: undefined };
  }

  async close(): Promise<void> {
    await this.#logins.close();
    await this.#options.client.close();
  }

  #nameOf(topic: KeyedTopic): string {
    return this.#options.topics[KEYS[topic]];
  }

  /** Nobody's transaction is open, for all were shut out: the high watermark is where the state of this partition ends. */
  async #reachGraphState(partition: number): Promise<void> {
    const { client, topics } = this.#options;
    const state = (await client.topicOffsets(topics.graphState)).find((p) => p.partition === partition);
    if (state === undefined) {
      throw new OddlinkError(
        "KAFKA_TOPIC_UNFIT",
        `${topics.graphState} has no partition ${partition}: it needs as many as ${topics.logins}. ` +
          "oddlink topics creates and checks them",
      );
    }
    await this.#graphState!.reach(partition, state.high);
  }

  /**
   * Records gather until a commit is due, which then holds one segment of them and not one for each answer to a fetch: they
   * would not be seen by others any sooner.
   */
  async *#batches({ partition, take }: ConsumedPartition): AsyncGenerator<RecordBatch> {
    const { time, recordBytesMax } = this.#options;
    for (let recordsMax = BATCH_RECORDS_FIRST; ; recordsMax = BATCH_RECORDS_MAX) {
      const committedMs = this.#committedMs.get(partition) ?? Number.NEGATIVE_INFINITY;
      const dueInMs = committedMs + this.commitIntervalMs - time.monotonicMs();
      const taken = new AbortController();
      const gathered = dueInMs > 0 ? time.sleep(dueInMs, taken.signal) : undefined;
      const records = await take(recordsMax, gathered);
      // A timer that is left would keep a process that has stopped from ending.
      taken.abort();
      if (records === undefined) return;
      await this.#turn();
      yield new KafkaBatch(records, recordBytesMax);
    }
  }

  /**
   * Resolves in a turn of the event loop of its own, however many partitions wait for one: between two batches brokers are
   * heard, and the group hears from this process.
   */
  #turn(): Promise<void> {
    this.#turns = this.#turns.then(() => this.#options.time.sleep(0));
    return this.#turns;
  }
}
