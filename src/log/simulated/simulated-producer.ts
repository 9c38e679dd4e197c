import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import {
  type GroupPosition,
  type KafkaHeaders,
  type ProducedRecord,
  type TransactionalProducer,
  TransactionError,
  type TransactionOutcome,
} from "../kafka/client.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import type { LogPartition, NewRecord } from "./log-partition.ts";
import { type RandomStream, uniform } from "./random-streams.ts";
import type { RequestKind } from "./request-faults.ts";
import type { SimulatedProcess } from "./simulated-process.ts";
import type { ProducerIdentity } from "./transaction-coordinator.ts";

type StepAnswer = "ok" | "fenced" | "refused" | "no-answer";

/** A producer of transactions, step by step as kafkajs takes them, so that a kill or a pause falls between any two. */
export class SimulatedProducer implements TransactionalProducer {
  readonly #parts: ClusterParts;
  readonly #process: SimulatedProcess;
  readonly #id: string;
  #identity: ProducerIdentity | undefined;
  #isBusy = false;
  #isClosed = false;
  /** What made this producer useless. */
  #end: TransactionOutcome | undefined;

  constructor(parts: ClusterParts, process: SimulatedProcess, transactionalId: string) {
    this.#parts = parts;
    this.#process = process;
    this.#id = transactionalId;
  }

  get isClosed(): boolean {
    return this.#isClosed;
  }

  /** @throws an error if the broker cannot be reached for long */
  async fence(): Promise<void> {
    assert(!this.#isBusy, "one transaction at a time");
    assert(this.#end === undefined, `the producer is ${this.#end}: of no use any more`);
    const identity = await this.#whileBusy("initialise", () => this.#parts.transactions.initialise(this.#id));
    if (identity === "no-answer") throw new Error(`no answer to the fencing of ${this.#id}`);
    this.#identity = identity;
  }

  async transact(records: readonly ProducedRecord[], position?: GroupPosition): Promise<void> {
    assert(this.#identity !== undefined, "fence comes before the first transaction");
    assert(!this.#isBusy, "one transaction at a time");
    if (this.#end !== undefined) throw this.#error(this.#end, "the producer is of no use any more");
    if (records.length === 0 && position === undefined) return;
    // As on the wire: what the caller does to its buffers later changes nothing.
    const batches = this.#byPartition(records);
    this.#isBusy = true;
    try {
      const written = await this.#write(this.#identity, batches, position);
      if (written === "fenced") throw this.#error("fenced", "another producer has the id");
      if (written !== "ok") await this.#abort(this.#identity, written);
      else await this.#commit(this.#identity);
    } finally {
      this.#isBusy = false;
    }
  }

  /** An open transaction stays open, as when a connection closes. */
  async close(): Promise<void> {
    this.#isClosed = true;
  }

  async #write(
    identity: ProducerIdentity,
    batches: ReadonlyMap<LogPartition, readonly NewRecord[]>,
    position: GroupPosition | undefined,
  ): Promise<StepAnswer> {
    const { transactions } = this.#parts;
    const { epoch } = identity;
    if (batches.size > 0) {
      const added = await this.#whileBusy("add partitions", () =>
        transactions.add(this.#id, epoch, batches.keys()),
      );
      if (added !== "ok") return added;
      const sends = [...batches].map(([log, records]) => this.#send(identity, log, records));
      const answers = await Promise.all(sends);
      const failure =
        answers.find((answer) => answer === "fenced") ?? answers.find((answer) => answer !== "ok");
      if (failure !== undefined) return failure;
    }
    if (position === undefined) return "ok";
    const log = this.#parts.partitionsOf(position.topic)[position.partition]!;
    const offsets = this.#parts.offsetsOf(position.group);
    const added = await this.#whileBusy("add offsets", () => transactions.add(this.#id, epoch, [offsets]));
    if (added !== "ok") return added;
    return this.#ask("write offsets", () => offsets.write(identity.producerId, epoch, log, position.offset));
  }

  /** Appends a batch once, however often it has to be sent: batches are numbered. */
  #send(
    { producerId, epoch }: ProducerIdentity,
    log: LogPartition,
    records: readonly NewRecord[],
  ): Promise<StepAnswer> {
    let appended: StepAnswer | undefined;
    const append = (): StepAnswer => {
      const { transactions, broker, recordBytesMax } = this.#parts;
      if (records.some((record) => bytesOf(record) > recordBytesMax)) return "refused";
      if (log.isCompacted && records.some(({ key }) => key === null)) return "refused";
      if (!transactions.isOngoing(this.#id, epoch, log)) return "fenced";
      return log.appendTransactional(records, producerId, epoch, broker.now());
    };
    return this.#ask("produce", () => (appended ??= append()));
  }

  async #commit({ epoch }: ProducerIdentity): Promise<void> {
    const answer = await this.#ask("commit", () => this.#parts.transactions.end(this.#id, epoch, true));
    if (answer === "fenced") throw this.#error("fenced", "another producer has the id, or the time was up");
    if (answer !== "ok") throw this.#error("unknown", "no answer to the commit");
  }

  /** @param why what went wrong before; always throws */
  async #abort({ epoch }: ProducerIdentity, why: StepAnswer): Promise<void> {
    const answer = await this.#ask("abort", () => this.#parts.transactions.end(this.#id, epoch, false));
    if (answer === "fenced") throw this.#error("fenced", "another producer has the id, or the time was up");
    // Left open, it would take the next transaction's commit for its own.
    if (answer !== "ok") throw this.#error("unknown", "no answer to the abort");
    throw new TransactionError("aborted", `the records were not taken (${why})`);
  }

  #error(outcome: TransactionOutcome, message: string): TransactionError {
    this.#end = outcome;
    return new TransactionError(outcome, `${this.#id}: ${message}`);
  }

  #byPartition(records: readonly ProducedRecord[]): Map<LogPartition, NewRecord[]> {
    const batches = new Map<LogPartition, NewRecord[]>();
    for (const record of records) {
      const partitions = this.#parts.partitionsOf(record.topic);
      const log =
        partitions[record.partition ?? partitionOf(record, partitions.length, this.#parts.clientRandom)]!;
      assert(log !== undefined, `${record.topic} has no partition ${record.partition}`);
      const batch = batches.get(log);
      if (batch === undefined) batches.set(log, [toNewRecord(record)]);
      else batch.push(toNewRecord(record));
    }
    return batches;
  }

  /** Asks again, after a short while, as long as an earlier transaction of the id is not completed. */
  async #whileBusy<T>(kind: RequestKind, execute: () => T | "busy"): Promise<T | "no-answer"> {
    const { time, timings, clientRandom } = this.#parts;
    const startedMs = time.now();
    for (;;) {
      const answer = await this.#ask(kind, execute);
      if (answer !== "busy") return answer;
      if (time.now() - startedMs > timings.giveUpMs) return "no-answer";
      await this.#process.time.sleep(uniform(clientRandom, 1, 20));
    }
  }

  #ask<T>(kind: RequestKind, execute: () => T): Promise<T | "no-answer"> {
    if (this.#isClosed) return Promise.resolve("no-answer");
    return new Promise((resolve) =>
      this.#parts.network.send<T>(this.#process, {
        kind,
        execute: (answer) => answer(execute()),
        onAnswer: resolve,
        onFailure: () => resolve("no-answer"),
      }),
    );
  }
}

/** A copy as the broker will have it: everything is bytes. */
export function toNewRecord(record: Omit<ProducedRecord, "topic">): NewRecord {
  const headers: Record<string, Buffer> = {};
  for (const [name, value] of Object.entries(record.headers ?? {})) headers[name] = Buffer.from(value);
  return {
    key: record.key === null ? null : Buffer.from(record.key),
    value: record.value === null ? null : Buffer.from(record.value),
    headers: headers satisfies KafkaHeaders,
  };
}

function bytesOf({ key, value }: NewRecord): number {
  return (key?.length ?? 0) + (value?.length ?? 0);
}

/** The same partition for the same key, as all clients with one partitioner have it (FNV-1a; Kafka's own is murmur2). */
function partitionOf(
  { key }: Pick<ProducedRecord, "key">,
  partitionCount: number,
  random: RandomStream,
): number {
  if (key === null) return random.nextInt(partitionCount);
  let hash = 0x811c9dc5;
  for (const byte of Buffer.from(key)) hash = Math.imul(hash ^ byte, 0x01000193);
  return (hash >>> 0) % partitionCount;
}
