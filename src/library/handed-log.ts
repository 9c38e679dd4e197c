import { Buffer } from "node:buffer";
import type { Config } from "../config/schema.ts";
import { settingsKey } from "../config/settings-key.ts";
import { EmbeddedLog } from "../log/embedded/embedded-log.ts";
import type {
  Assignment,
  Commit,
  CommitResult,
  Follower,
  KeyedRecord,
  KeyedTopic,
  Log,
  ReadProgress,
} from "../log/port.ts";
import { Bell } from "./bell.ts";
import { RecordQueue } from "./record-queue.ts";

/** Longest wait of results for their commit while nobody waits for it, milliseconds. */
const COMMIT_INTERVAL_MS = 100;

/** In a store, in the place of a file's first bytes, which no text begins with: a file of the same name is another input. */
const NO_FILE = Buffer.from("\0handed over");

export type HandedLogOptions = {
  readonly config: Config;
  /** Path of the store; undefined: a temporary one, deleted at the end. */
  readonly store: string | undefined;
  /** What the input is called, in alerts and in the store. */
  readonly name: string;
  /** Told what comes of records before it is committed; the commit waits for it, and fails if it does. */
  readonly deliver: (commit: Commit) => Promise<void>;
};

/**
 * The log of an embedded engine: its input is what the program hands over, all else is that of the embedded store.
 *
 * Offsets go on where the store ends, so that alerts of later runs have uids of their own.
 */
export class HandedLog implements Log {
  readonly isEndless = true;
  readonly isShared = false;
  readonly queue: RecordQueue;
  readonly #store: EmbeddedLog;
  readonly #options: HandedLogOptions;
  readonly #partition: number;
  #committed: number;
  readonly #commits = new Bell();
  /** How many wait for a commit and hand nothing over any more. */
  #waiting = 0;

  private constructor(options: HandedLogOptions, store: EmbeddedLog, partition: number, offset: number) {
    this.#options = options;
    this.#store = store;
    this.#partition = partition;
    this.#committed = offset;
    this.queue = new RecordQueue(offset, options.config.input.recordBytesMax);
  }

  /** @throws {OddlinkError} STORE_UNREADABLE, STORE_BUSY, STORE_MISMATCH */
  static async open(options: HandedLogOptions): Promise<HandedLog> {
    const { config, store: path, name } = options;
    const store = await EmbeddedLog.open({
      sources: [],
      store: path,
      settings: settingsKey(config),
      recordBytesMax: config.input.recordBytesMax,
    });
    const inputs = store.store.inputs();
    const known = inputs.find(({ topic, start }) => topic === name && start.equals(NO_FILE));
    const partition = known?.partition ?? inputs.length;
    if (known === undefined) store.store.addInput({ partition, topic: name, start: NO_FILE });
    return new HandedLog(options, store, partition, known?.position.offset ?? 0);
  }

  /** Records of this input that are committed, those of earlier runs on the store included. */
  get committed(): number {
    return this.#committed;
  }

  /** Resolves once the record at `offset` is committed. */
  async untilCommitted(offset: number): Promise<void> {
    this.#waiting++;
    try {
      while (this.#committed <= offset) await this.#commits.rung;
    } finally {
      this.#waiting--;
    }
  }

  /** None while somebody waits, and nothing is left to be scored. */
  get commitIntervalMs(): number {
    return this.#waiting > 0 && this.queue.isEmpty ? 0 : COMMIT_INTERVAL_MS;
  }

  async *assignments(signal: AbortSignal): AsyncGenerator<Assignment, void, undefined> {
    if (signal.aborted) return;
    const released = Promise.withResolvers<void>();
    const end = (): void => this.queue.end();
    signal.addEventListener("abort", end);
    yield {
      partition: this.#partition,
      topic: this.#options.name,
      position: { offset: this.#committed, bytes: 0 },
      isNew: this.#committed === 0,
      batches: this.queue.batches(),
      release: released.resolve,
    };
    await released.promise;
    signal.removeEventListener("abort", end);
    end();
  }

  async commit(commit: Commit): Promise<CommitResult> {
    await this.#options.deliver(commit);
    // Scored logins were handed over, and are many: nobody wants them in the store too.
    const result = await this.#store.commit({ ...commit, scoredLogins: [] });
    this.#committed = commit.position.offset;
    this.#commits.ring();
    return result;
  }

  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    return this.#store.follow(topic, onRecord);
  }

  append(topic: "verdicts", record: KeyedRecord): Promise<void> {
    return this.#store.append(topic, record);
  }

  readBack(topic: KeyedTopic): Promise<ReadonlyMap<string, Uint8Array>> {
    return this.#store.readBack(topic);
  }

  totals(): string | undefined {
    return this.#store.totals();
  }

  progress(): ReadProgress {
    return { bytesRead: this.queue.bytesPushed, bytesTotal: undefined };
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
