import type { Buffer } from "node:buffer";
import { setTimeout as sleep } from "node:timers/promises";
import { crc32 } from "node:zlib";
import type { KafkaClient } from "../../src/log/kafka/client.ts";
import { PartitionWriter } from "../../src/log/kafka/partition-writer.ts";
import { REAL_TIME } from "../../src/time.ts";
import { type GeneratorOptions, LoginGenerator } from "./login-generator.ts";

/** Records of one transaction. */
const BATCH_RECORDS_MAX = 2000;
const PAUSE_MS = 100;
/** What was not written in time is made up for, up to this many milliseconds. */
const BEHIND_MS_MAX = 5000;
const STOP_MS_MAX = 30_000;
const EMPTY_CHECKSUM = 0;

/** What was written to a partition: how many records, and a checksum over all of them in their order. */
export type LedgerEntry = { records: number; checksum: number };

/** Goes on with a checksum by one record; their lengths count too. */
export function withRecord(checksum: number, value: Buffer | null): number {
  return crc32(value ?? "", crc32(`${value?.length ?? -1} `, checksum));
}

export type FeederOptions = {
  readonly client: KafkaClient;
  readonly topic: string;
  readonly partitions: number;
  readonly generator: Omit<GeneratorOptions, "partition" | "partitions">;
  readonly onTrouble: (message: string) => void;
};

/**
 * Writes the input, each record exactly once whatever happens to the broker, and remembers what it wrote.
 *
 * A transaction holds records of one partition and how many came before: so it is known after an unanswered commit.
 */
export class Feeder {
  readonly ledger: readonly LedgerEntry[];
  readonly #options: FeederOptions;
  readonly #generators: readonly LoginGenerator[];
  readonly #stop = new AbortController();
  readonly #running: Promise<unknown>;
  #perSecond = 0;
  #most = Number.POSITIVE_INFINITY;
  #giveUpMs = Number.POSITIVE_INFINITY;

  constructor(options: FeederOptions) {
    const { partitions, generator } = options;
    const all = Array.from({ length: partitions }, (_, partition) => partition);
    this.#options = options;
    this.ledger = all.map(() => ({ records: 0, checksum: EMPTY_CHECKSUM }));
    this.#generators = all.map((partition) => new LoginGenerator({ ...generator, partition, partitions }));
    this.#running = Promise.all(all.map((partition) => this.#feed(partition)));
  }

  get written(): number {
    return this.ledger.reduce((sum, { records }) => sum + records, 0);
  }

  /** From now on so many records a second, of all partitions together, and no more than `most` in all. */
  pace(perSecond: number, most = Number.POSITIVE_INFINITY): void {
    this.#perSecond = perSecond;
    this.#most = most;
  }

  /** So many new users log in, once each. */
  addStrangers(count: number): void {
    for (const generator of this.#generators)
      generator.addStrangers(Math.ceil(count / this.#generators.length));
  }

  /** Writes a login that can't be scored. */
  addPoison(partition: number): void {
    this.#generators[partition]!.addPoison();
  }

  /** Ends when what is being written is. */
  async stop(): Promise<void> {
    this.#stop.abort();
    // A test that has failed may have no broker any more.
    this.#giveUpMs = performance.now() + STOP_MS_MAX;
    await this.#running;
  }

  async #feed(partition: number): Promise<void> {
    const { client, topic, partitions, onTrouble } = this.#options;
    let trouble = "";
    const writer = new PartitionWriter({
      client,
      time: REAL_TIME,
      transactionalId: `feeder-${topic}-${partition}`,
      group: `feeder-${topic}`,
      topic,
      partition,
      owns: () => Promise.resolve(true),
      isGivenUp: () => performance.now() > this.#giveUpMs,
      onTrouble: (message) => {
        trouble = message;
        onTrouble(message);
      },
    });
    const generator = this.#generators[partition]!;
    const entry = this.ledger[partition]!;
    await writer.acquire();
    let due = 0;
    for (let lastMs = performance.now(); !this.#stop.signal.aborted; ) {
      const nowMs = performance.now();
      const perMs = this.#perSecond / partitions / 1000;
      due = Math.min(due + perMs * (nowMs - lastMs), perMs * BEHIND_MS_MAX);
      lastMs = nowMs;
      const open = Math.ceil(this.#most / partitions) - entry.records;
      const count = Math.max(0, Math.min(Math.floor(due), open, BATCH_RECORDS_MAX));
      if (count > 0) {
        due -= count;
        const batch = Array.from({ length: count }, () => generator.next());
        const next = entry.records + count;
        const records = batch.map(({ key, value }) => ({ topic, partition, key, value }));
        const result = await writer.commit(records, next);
        if (result === "lost")
          throw new Error(
            `what was written last to partition ${partition} of ${topic} is not known: ${trouble}`,
          );
        entry.records = next;
        for (const { value } of batch) entry.checksum = withRecord(entry.checksum, value);
      }
      if (count < BATCH_RECORDS_MAX) await sleep(PAUSE_MS);
    }
    await writer.close();
  }
}
