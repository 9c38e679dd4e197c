import type { EventTrace } from "./event-trace.ts";
import type { LogPartition } from "./log-partition.ts";
import type { RandomStream } from "./random-streams.ts";
import type { TransactionParticipant } from "./transaction-coordinator.ts";

/** Where one group is in each partition, as its transactions say. */
export class GroupOffsets implements TransactionParticipant {
  readonly name: string;
  readonly #trace: EventTrace;
  readonly #random: RandomStream;
  readonly #undefinedChance: number;
  readonly #committed = new Map<string, number>();
  readonly #pending = new Map<number, Map<string, number>>();
  readonly #epochs = new Map<number, number>();

  /** @param undefinedChance how often an offset reads as undefined while another one is pending */
  constructor(group: string, trace: EventTrace, random: RandomStream, undefinedChance: number) {
    this.name = `offsets of ${group}`;
    this.#trace = trace;
    this.#random = random;
    this.#undefinedChance = undefinedChance;
  }

  /** TxnOffsetCommit: holds from the end of the transaction on, if that commits. */
  write(producerId: number, epoch: number, partition: LogPartition, offset: number): "ok" | "fenced" {
    if (epoch < (this.#epochs.get(producerId) ?? 0)) return "fenced";
    this.#epochs.set(producerId, epoch);
    let pending = this.#pending.get(producerId);
    if (pending === undefined) this.#pending.set(producerId, (pending = new Map()));
    pending.set(partition.name, offset);
    return "ok";
  }

  endTransaction(producerId: number, epoch: number, isCommitted: boolean): void {
    this.#epochs.set(producerId, epoch);
    const pending = this.#pending.get(producerId);
    this.#pending.delete(producerId);
    if (!isCommitted || pending === undefined) return;
    for (const [name, offset] of pending) {
      this.#committed.set(name, offset);
      this.#trace.note("offset", name, offset);
    }
  }

  /** As a client reads it: what is pending does not count, and may even hide what was committed before. */
  read(partition: LogPartition): number | undefined {
    for (const pending of this.#pending.values()) {
      if (!pending.has(partition.name)) continue;
      if (this.#random.nextFloat() < this.#undefinedChance) return undefined;
    }
    return this.committed(partition);
  }

  committed(partition: LogPartition): number | undefined {
    return this.#committed.get(partition.name);
  }

  /** What kafkajs does to the offset of a group whose partition no longer has it. */
  forget(partition: LogPartition): void {
    this.#committed.delete(partition.name);
  }
}
