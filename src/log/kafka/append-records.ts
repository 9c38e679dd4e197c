import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type { KafkaClient, ProducedRecord } from "./client.ts";

/** Who waits for it is a person at a page. */
const APPEND_MS_MAX = 20_000;
/** Waits between attempts grow from the first to the last of these, milliseconds. */
const RETRY_MS_MIN = 50;
const RETRY_MS_MAX = 2000;

/**
 * Writes records that come of no partition of the input, in a transaction of their own. Where nobody knows what became of an attempt they are
 * written again: readers take each once, by a key or an id.
 *
 * @throws {OddlinkError} KAFKA_TOPIC_MISSING, KAFKA_DENIED; KAFKA_FAILED if it was tried for too long
 */
export async function appendRecords(
  client: KafkaClient,
  time: Time,
  transactionalId: string,
  records: readonly ProducedRecord[],
): Promise<void> {
  const deadlineMs = time.monotonicMs() + APPEND_MS_MAX;
  for (let waitMs = RETRY_MS_MIN; ; waitMs = Math.min(2 * waitMs, RETRY_MS_MAX)) {
    const producer = client.producer(transactionalId);
    try {
      await producer.fence();
      await producer.transact(records);
      return;
    } catch (error) {
      const final = [error, (error as Error).cause].find(
        (cause) => cause instanceof OddlinkError && !cause.retriable,
      );
      if (final !== undefined) throw final;
      if (time.monotonicMs() >= deadlineMs) {
        throw new OddlinkError(
          "KAFKA_FAILED",
          `${records[0]?.topic} could not be written to: ${(error as Error).message}`,
          { cause: error },
        );
      }
    } finally {
      await producer.close().catch(() => {});
    }
    await time.sleep(waitMs);
  }
}
