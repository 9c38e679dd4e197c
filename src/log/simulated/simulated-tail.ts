import type { Tail, TailOptions } from "../kafka/client.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import { PartitionReader } from "./partition-reader.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

/** Reads partitions of a topic from where it is told, each at its own pace. */
export class SimulatedTail implements Tail {
  readonly topic: string;
  readonly #process: SimulatedProcess;
  readonly #options: TailOptions;
  readonly #readers: readonly PartitionReader[];
  #isEnded = false;

  constructor(parts: ClusterParts, process: SimulatedProcess, options: TailOptions) {
    this.topic = options.topic;
    this.#process = process;
    this.#options = options;
    const logs = parts
      .partitionsOf(options.topic)
      .filter(({ partition }) => options.partitions?.includes(partition) ?? true);
    this.#readers = logs.map((log) => {
      const reader = new PartitionReader({
        parts,
        process,
        log,
        onFetched: (records, position) => options.onRecords(log.partition, records, position),
        delayMs: () => parts.tailDelayMs(process.name, log),
      });
      reader.seek(options.startAt?.(log.partition) ?? 0);
      return reader;
    });
  }

  get isEnded(): boolean {
    return this.#isEnded;
  }

  async close(): Promise<void> {
    this.#isEnded = true;
    for (const reader of this.#readers) reader.close();
  }

  /** Ends the tail as an error does that the client does not recover from. */
  crash(error: Error): void {
    if (this.#isEnded) return;
    void this.close();
    this.#process.enter(() => this.#options.onCrash(error));
  }
}
