import type { ConsumedRecord } from "../kafka/client.ts";
import type { ClusterParts } from "./cluster-parts.ts";
import type { LogPartition } from "./log-partition.ts";
import type { SimulatedProcess } from "./simulated-process.ts";

export type PartitionReaderOptions = {
  readonly parts: ClusterParts;
  readonly process: SimulatedProcess;
  readonly log: LogPartition;
  /** Runs in the process. */
  readonly onFetched: (records: readonly ConsumedRecord[], position: number) => void;
  /** The position is no longer, or not yet, in the log: a fetch without records leads to its start. */
  readonly onOutOfRange?: () => void;
  /** Milliseconds that records take longer than usual. */
  readonly delayMs?: () => number;
};

/** Fetches one partition read-committed, one fetch at a time, from where it is told. */
export class PartitionReader {
  readonly #options: PartitionReaderOptions;
  #position = Number.NaN;
  #isPaused = false;
  #pausedMs = 0;
  #isClosed = false;
  /** Fetches of an earlier round count no more. */
  #round = 0;
  #isFetching = false;

  constructor(options: PartitionReaderOptions) {
    this.#options = options;
  }

  /** False until it was told where to begin. */
  get hasPosition(): boolean {
    return !Number.isNaN(this.#position);
  }

  /** Whether it starts no fetch any more. */
  get isHalted(): boolean {
    return this.#isClosed;
  }

  seek(offset: number): void {
    this.#round++;
    this.#isFetching = false;
    this.#position = offset;
    this.#fetch();
  }

  pause(): void {
    if (this.#isPaused) return;
    this.#isPaused = true;
    this.#pausedMs = this.#options.parts.time.now();
  }

  resume(): void {
    this.#isPaused = false;
    this.#fetch();
  }

  /** Starts no fetch any more; the one that is under way may still arrive. */
  halt(): void {
    this.#isClosed = true;
  }

  /** Nothing arrives any more. */
  close(): void {
    this.#isClosed = true;
    this.#round++;
  }

  #fetch(): void {
    if (this.#isClosed || this.#isPaused || this.#isFetching || !this.hasPosition) return;
    this.#isFetching = true;
    const round = this.#round;
    const { broker } = this.#options.parts;
    broker.later(broker.latencyMs(), () => this.#atBroker(round));
  }

  /** The fetch is at the broker, or has waited there for something to read. */
  #atBroker(round: number): void {
    const { parts, process, log } = this.#options;
    if (round !== this.#round || process.state === "killed") return;
    if (parts.network.isCut(process.name)) {
      // The client fetches again until it is answered.
      parts.broker.later(parts.timings.retryMsMax, () => this.#atBroker(round));
      return;
    }
    if (this.#isClosed || (this.#isPaused && parts.time.now() - this.#pausedMs > parts.timings.fetchWaitMs)) {
      this.#isFetching = false;
      return;
    }
    const isOutOfRange = this.#position < log.low || this.#position > log.high;
    if (isOutOfRange) this.#options.onOutOfRange?.();
    const countMax = 1 + parts.fetchRandom.nextInt(parts.fetchRecordsMax);
    const fetched = isOutOfRange ? { records: [], position: log.low } : log.read(this.#position, countMax);
    const { records, position } = fetched;
    if (position === this.#position) {
      log.wait(() => parts.broker.whenUp(() => this.#atBroker(round)));
      return;
    }
    const delayMs = parts.broker.latencyMs() + (this.#options.delayMs?.() ?? 0);
    parts.time.scheduleBackground(delayMs, () =>
      process.enter(() => this.#arrived(round, records, position)),
    );
  }

  #arrived(round: number, records: readonly ConsumedRecord[], position: number): void {
    if (round !== this.#round) return;
    this.#isFetching = false;
    // A real client drops what it has just fetched of a paused partition, or not, as it happens.
    const isDropped = this.#isPaused && this.#options.parts.fetchRandom.nextFloat() < 0.5;
    if (!isDropped) {
      const { parts, process, log } = this.#options;
      parts.trace.note(`${process.name} fetched`, log.name, position);
      this.#position = position;
      this.#options.onFetched(records, position);
    }
    this.#fetch();
  }
}
