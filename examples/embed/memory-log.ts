/**
 * A log of one's own, as small as it can be: one input in memory. Behind the same few verbs may stand a queue, or a database.
 *
 * Whoever reads the input again passes the state of the log before: it goes on there.
 */
import {
  type Assignment,
  type Commit,
  type CommitResult,
  type Follower,
  type KeyedRecord,
  type KeyedTopic,
  type Log,
  type ReadProgress,
  recordBatch,
} from "oddlink";

const RECORDS_PER_BATCH = 256;

/** All that survives the end of an engine; a real log writes it in one transaction. */
export class MemoryLogState {
  offset = 0;
  totals: string | undefined;
  /** What came of the records, in the order in which it was committed. */
  readonly commits: Commit[] = [];
  /** The newest value of each live key; a key that is written again moves to the end. */
  readonly keyed: Readonly<Record<KeyedTopic, Map<string, Uint8Array>>> = {
    "graph-state": new Map(),
    epochs: new Map(),
    verdicts: new Map(),
  };

  put(topic: KeyedTopic, { key, value }: KeyedRecord): void {
    this.keyed[topic].delete(key);
    if (value !== null) this.keyed[topic].set(key, value);
  }
}

export class MemoryLog implements Log {
  /** The engine stops at the end of the input, and where too many of its records can't be read. */
  readonly isEndless = false;
  /** No other process has other parts of the same input. */
  readonly isShared = false;
  readonly commitIntervalMs = 100;
  readonly #records: readonly Uint8Array[];
  readonly #state: MemoryLogState;
  readonly #onVerdict = new Set<(record: KeyedRecord) => void>();

  constructor(records: readonly Uint8Array[], state = new MemoryLogState()) {
    this.#records = records;
    this.#state = state;
  }

  /** One partition, until the engine is done with it. */
  async *assignments(signal: AbortSignal): AsyncGenerator<Assignment> {
    const { offset } = this.#state;
    const released = Promise.withResolvers<void>();
    yield {
      partition: 0,
      topic: "memory",
      position: { offset, bytes: 0 },
      isNew: offset === 0,
      batches: this.#read(offset, signal),
      release: released.resolve,
    };
    await released.promise;
  }

  async *#read(first: number, signal: AbortSignal) {
    for (let offset = first; offset < this.#records.length && !signal.aborted; offset += RECORDS_PER_BATCH)
      yield recordBatch(this.#records.slice(offset, offset + RECORDS_PER_BATCH), offset);
  }

  /** All or nothing: the position, what came of the records up to it, and the state of the engine there. */
  async commit(commit: Commit): Promise<CommitResult> {
    const state = this.#state;
    for (const record of commit.graphState) state.put("graph-state", record);
    for (const record of commit.epochs) state.put("epochs", record);
    state.commits.push(commit);
    state.totals = commit.totals;
    state.offset = commit.position.offset;
    return "committed";
  }

  /** What was written before, and, of verdicts, what people answer from now on. */
  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    for (const [key, value] of this.#state.keyed[topic]) onRecord({ key, value });
    if (topic === "verdicts") this.#onVerdict.add(onRecord);
    return { caughtUp: async () => {}, close: async () => void this.#onVerdict.delete(onRecord) };
  }

  async append(topic: "verdicts", record: KeyedRecord): Promise<void> {
    this.#state.put(topic, record);
    for (const onRecord of this.#onVerdict) onRecord(record);
  }

  async readBack(topic: KeyedTopic): Promise<ReadonlyMap<string, Uint8Array>> {
    return new Map(this.#state.keyed[topic]);
  }

  totals(): string | undefined {
    return this.#state.totals;
  }

  progress(): ReadProgress {
    return { bytesRead: 0, bytesTotal: undefined };
  }

  async close(): Promise<void> {}
}
