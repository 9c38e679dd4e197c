import type { ConsumedRecord, ProducedRecord } from "./client.ts";
import type { ConsumerStanding } from "./consumer-meter.ts";
import { type ConsumedPartition, GroupConsumer, type GroupConsumerOptions } from "./group-consumer.ts";

/** Records that go into one transaction, at most; it holds what one commit interval brought, if that is less. */
const TRANSACTION_RECORDS_MAX = 1000;

export type TopicPipelineOptions = Omit<GroupConsumerOptions, "prepare"> & {
  /** Records of one transaction, at most: a thousand if left out. */
  readonly recordsMax?: number;
  /** Called once, with what tells how the consumer stands from then on. */
  readonly onConsuming?: (standing: () => ConsumerStanding) => void;
  /**
   * What is to be written for a record: any number of records, to any topics. Those of one partition are mapped one after
   * the other. It is asked again for what was not committed when a partition changed hands, so it has no effects of its own.
   *
   * What can't be read is no error: map it to a dead letter, or pass it on as it is. An error ends the pipeline, which finds
   * the same record when it is started again.
   */
  readonly map: (
    record: ConsumedRecord,
    partition: number,
  ) => readonly ProducedRecord[] | Promise<readonly ProducedRecord[]>;
};

/**
 * Reads a topic in a consumer group and writes what each record is mapped to, exactly once and in order of the partition,
 * for those who read committed records only. Run it in as many processes as there are partitions; one more is a standby.
 * Several topics are as many pipelines, each in a group of its own.
 *
 * Outputs and position of a partition are one transaction. What was written is kept until it is known what became of it,
 * and sent again, not mapped again.
 *
 * Resolves when the signal has stopped it, with all that was read committed.
 *
 * @throws {OddlinkError} INPUT_LOST, KAFKA_FAILED and others of the client: it was stopped then, as by the signal
 */
export async function runTopicPipeline(options: TopicPipelineOptions, signal: AbortSignal): Promise<void> {
  const consumer = new GroupConsumer(options);
  options.onConsuming?.(() => consumer.standing);
  const runs = new Set<Promise<void>>();
  let failure: unknown;
  try {
    for await (const partition of consumer.partitions(signal)) {
      const run = passOn(consumer, partition, options, signal)
        .catch((error: unknown) => {
          failure ??= error;
          consumer.fail(error);
        })
        .finally(() => {
          partition.release();
          runs.delete(run);
        });
      runs.add(run);
    }
  } finally {
    await Promise.all(runs);
    await consumer.close();
  }
  if (failure !== undefined) throw failure;
}

/** Until the partition is taken away. */
async function passOn(
  consumer: GroupConsumer,
  { partition, take }: ConsumedPartition,
  options: TopicPipelineOptions,
  signal: AbortSignal,
): Promise<void> {
  const { time, recordsMax = TRANSACTION_RECORDS_MAX } = options;
  for (;;) {
    const records = await take(recordsMax);
    if (records === undefined) return;
    const startedMs = time.monotonicMs();
    const outputs: ProducedRecord[] = [];
    try {
      for (const record of records) outputs.push(...(await mapped(options, record, partition)));
    } catch (error) {
      // Who waited for something and was stopped: the records are mapped by whoever reads them next.
      if (signal.aborted) return;
      throw error;
    }
    const result = await consumer.commit(partition, outputs, records.at(-1)!.offset + 1);
    if (result === "lost") return;
    // Others are waiting already; else those of one interval go together.
    if (records.length === recordsMax) continue;
    const waitMs = consumer.commitIntervalMs - (time.monotonicMs() - startedMs);
    if (waitMs > 0) await time.sleep(waitMs, signal);
  }
}

async function mapped(
  { map, topic }: TopicPipelineOptions,
  record: ConsumedRecord,
  partition: number,
): Promise<readonly ProducedRecord[]> {
  try {
    return await map(record, partition);
  } catch (error) {
    const place = `record ${record.offset} of partition ${partition} of ${topic}`;
    throw new Error(`${place} could not be mapped: ${(error as Error).message}`, { cause: error });
  }
}
