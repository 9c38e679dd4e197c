import { Buffer } from "node:buffer";
import { createReadStream, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { isGzip } from "../../ingest/gunzip.ts";
import { splitLines } from "../../ingest/line-splitter.ts";
import { readBytes, readSource, readStart, type Source, STDIN } from "../../ingest/sources.ts";
import type {
  Assignment,
  Commit,
  CommitResult,
  Follower,
  KeyedRecord,
  KeyedTopic,
  Log,
  Position,
  ReadProgress,
  RecordBatch,
} from "../port.ts";
import { FileBatch } from "./file-batch.ts";
import { OutputFile } from "./output-file.ts";
import { expectSettings } from "./settings.ts";
import { type AlertTable, Store } from "./store.ts";

/** A file is recognised by its first bytes, so that a rotated log under the same name is a new input. */
const START_BYTES = 4096;
const NEWLINE = 0x0a;
const RETURN = 0x0d;
const LINES_PER_BATCH = 8192;
const COMMIT_INTERVAL_MS = 100;

export type EmbeddedLogOptions = {
  readonly sources: readonly Source[];
  /** Path of the store, or undefined for a temporary one that is deleted at the end. */
  readonly store?: string | undefined;
  /** The settings that the state depends on, as JSON: a store that was written with others is refused. */
  readonly settings?: string | undefined;
  /** Files for alerts and scored logins as JSON lines. */
  readonly alertsFile?: string | undefined;
  readonly alertsShadowFile?: string | undefined;
  readonly scoredFile?: string | undefined;
  /** What a finding is in the files of alerts; OCSF if left out. */
  readonly alertLine?: ((finding: string) => string) | undefined;
  readonly recordBytesMax: number;
  readonly stdin?: AsyncIterable<Buffer | string>;
};

type Input = {
  readonly partition: number;
  /** Name of the file. */
  readonly topic: string;
  readonly source: Source;
  /** What is left to read of a stream. */
  readonly stream: AsyncIterable<Buffer | string> | undefined;
};

/** A file of alerts, the table that it holds all of, and the sequence number there of the last one in it. */
type AlertsFile = { readonly file: OutputFile; readonly table: AlertTable; seq: number };

/** The log on files and SQLite: nothing to install, and `kill -9` is harmless here too. */
export class EmbeddedLog implements Log {
  readonly isEndless = false;
  readonly isShared = false;
  readonly commitIntervalMs = COMMIT_INTERVAL_MS;
  readonly store: Store;
  readonly #options: EmbeddedLogOptions;
  readonly #inputs: readonly Input[];
  readonly #temporaryFolder: string | undefined;
  readonly #alertFiles: readonly AlertsFile[];
  readonly #scoredFile: OutputFile | undefined;
  #totals: string | undefined;
  #bytesRead = 0;
  readonly #onAppended = new Set<(record: KeyedRecord) => void>();
  readonly #closing = new AbortController();

  private constructor(
    options: EmbeddedLogOptions,
    store: Store,
    inputs: readonly Input[],
    temporaryFolder: string | undefined,
  ) {
    this.#options = options;
    this.store = store;
    this.#inputs = inputs;
    this.#temporaryFolder = temporaryFolder;
    this.#totals = store.meta("totals");
    this.#alertFiles = [
      ...this.#openAlerts(options.alertsFile, "alerts"),
      ...this.#openAlerts(options.alertsShadowFile, "alerts_shadow"),
    ];
    this.#scoredFile =
      options.scoredFile === undefined
        ? undefined
        : this.#openOutput(options.scoredFile, "delete it to begin a new one");
  }

  static async open(options: EmbeddedLogOptions): Promise<EmbeddedLog> {
    const temporaryFolder = options.store === undefined ? mkdtempSync(join(tmpdir(), "oddlink-")) : undefined;
    let store: Store | undefined;
    try {
      const path = options.store ?? join(temporaryFolder!, "store.db");
      store = new Store(path, temporaryFolder !== undefined);
      if (options.settings !== undefined) expectSettings(store, options.settings);
      const inputs: Input[] = [];
      for (const source of options.sources)
        inputs.push(await openInput(store, source, inputs, options.stdin));
      return new EmbeddedLog(options, store, inputs, temporaryFolder);
    } catch (error) {
      store?.close();
      if (temporaryFolder !== undefined) rmSync(temporaryFolder, { recursive: true, force: true });
      throw error;
    }
  }

  get isTemporary(): boolean {
    return this.#temporaryFolder !== undefined;
  }

  /** One input after the other: each begins when the one before is committed to its end. */
  async *assignments(signal: AbortSignal): AsyncGenerator<Assignment> {
    for (const input of this.#inputs) {
      if (signal.aborted) return;
      const { partition, topic } = input;
      const { position } = this.store.inputs().find((stored) => stored.partition === partition)!;
      const released = Promise.withResolvers<void>();
      yield {
        partition,
        topic,
        position,
        isNew: position.offset === 0,
        batches: this.#read(input, position),
        release: released.resolve,
      };
      await released.promise;
    }
  }

  async *#read({ source, stream }: Input, position: Position): AsyncGenerator<RecordBatch> {
    const isPlainFile = !source.isStream && !isGzip(await readStart(source, 2));
    const bytes = position.bytes + (isPlainFile ? await lineEndAt(source, position.bytes) : 0);
    const chunks = readSource(source, bytes, {
      onRead: (count) => (this.#bytesRead += count),
      stream,
      signal: this.#closing.signal,
    });
    let { offset } = position;
    const limits = {
      lineBytesMax: this.#options.recordBytesMax,
      linesMax: LINES_PER_BATCH,
      isStart: bytes === 0,
    };
    // A line that is being written is left for the next run, if there can be one.
    const mayGrow = isPlainFile && !this.isTemporary;
    for await (const lines of splitLines(chunks, limits)) {
      yield new FileBatch(lines, { offset, bytes }, mayGrow);
      offset += lines.count;
    }
  }

  async commit(commit: Commit): Promise<CommitResult> {
    const notes: Record<string, string> = {};
    for (const alertsFile of this.#alertFiles) {
      const { file, table } = alertsFile;
      const alerts = table === "alerts" ? commit.alerts : (commit.alertsShadow ?? []);
      file.append(alerts.map((alert) => this.#alertLine(alert.finding)));
      alertsFile.seq += alerts.length;
      if (file.isResumable) {
        notes[lengthKey(file.path)] = String(file.length);
        notes[seqKey(file.path)] = String(alertsFile.seq);
      }
    }
    if (this.#scoredFile !== undefined) {
      this.#scoredFile.append(commit.scoredLogins.map(({ line }) => line));
      if (this.#scoredFile.isResumable)
        notes[lengthKey(this.#scoredFile.path)] = String(this.#scoredFile.length);
    }
    // A file of scored logins takes the place of the table: they are many, and nobody wants them twice.
    const isFiled = this.#scoredFile !== undefined;
    this.store.commit(isFiled ? { ...commit, scoredLogins: [] } : commit, notes);
    this.#totals = commit.totals;
    return "committed";
  }

  /** Nobody else writes to the store: what it holds, and what is appended here, is all there is to follow. */
  follow(topic: KeyedTopic, onRecord: (record: KeyedRecord) => void): Follower {
    for (const record of this.store.values(topic)) onRecord(record);
    if (topic === "verdicts") this.#onAppended.add(onRecord);
    return { caughtUp: async () => {}, close: async () => void this.#onAppended.delete(onRecord) };
  }

  async append(topic: "verdicts", record: KeyedRecord): Promise<void> {
    this.store.append(topic, record);
    for (const onRecord of this.#onAppended) onRecord(record);
  }

  async readBack(topic: KeyedTopic): Promise<ReadonlyMap<string, Uint8Array>> {
    return new Map(Array.from(this.store.values(topic), ({ key, value }) => [key, value]));
  }

  totals(): string | undefined {
    return this.#totals;
  }

  progress(): ReadProgress {
    const sizes = this.#inputs.map(({ source }) => source.sizeBytes);
    const isKnown = sizes.every((size) => size !== undefined);
    return {
      bytesRead: this.#bytesRead,
      bytesTotal: isKnown ? sizes.reduce((sum, size) => sum + size, 0) : undefined,
    };
  }

  async close(): Promise<void> {
    this.#closing.abort();
    // A pipe that is still open would keep the process from ending.
    if (this.#inputs.some(({ source }) => source.path === STDIN) && this.#options.stdin === undefined)
      process.stdin.destroy();
    for (const { file } of this.#alertFiles) file.close();
    this.#scoredFile?.close();
    this.store.close();
    if (this.#temporaryFolder !== undefined) rmSync(this.#temporaryFolder, { recursive: true, force: true });
  }

  /**
   * The alerts file holds all alerts of the store, whichever run raised them: one that is new, or was moved away, is
   * written in full, and runs that did not name it are caught up with. A pipe gets those of this run.
   */
  #openAlerts(path: string | undefined, table: AlertTable): AlertsFile[] {
    if (path === undefined) return [];
    const file = this.#openOutput(path, "delete it to have it written in full again");
    const opened = { file, table, seq: 0 };
    if (!file.isResumable) return [opened];
    opened.seq = file.length === 0 ? 0 : Number(this.store.meta(seqKey(path)) ?? 0);
    for (const { seq, finding } of this.store.findings(opened.seq, table)) {
      file.append([this.#alertLine(finding)]);
      opened.seq = seq;
    }
    return [opened];
  }

  #alertLine(finding: string): string {
    return this.#options.alertLine?.(finding) ?? finding;
  }

  #openOutput(path: string, ifShort: string): OutputFile {
    return new OutputFile(path, Number(this.store.meta(lengthKey(path)) ?? 0), ifShort);
  }
}

/** The stored input that a source continues, or a new one. */
async function openInput(
  store: Store,
  source: Source,
  taken: readonly Input[],
  stdin: AsyncIterable<Buffer | string> | undefined,
): Promise<Input> {
  let start: Buffer;
  let stream: AsyncIterable<Buffer | string> | undefined;
  if (source.isStream) {
    const opened = source.path === STDIN ? (stdin ?? process.stdin) : createReadStream(source.path);
    ({ start, stream } = await peek(opened));
  } else start = await readStart(source, START_BYTES);
  const stored = store.inputs();
  const known = stored.find(
    (input) =>
      input.topic === source.name &&
      isContinued(input.start, start, source.isStream) &&
      taken.every((other) => other.partition !== input.partition),
  );
  const partition = known?.partition ?? stored.length;
  if (known === undefined) store.addInput({ partition, topic: source.name, start });
  return { partition, topic: source.name, source, stream };
}

/** True if an input that begins with `start` is the one that began with `known`, grown perhaps. */
function isContinued(known: Buffer, start: Buffer, isStream: boolean): boolean {
  if (start.length >= known.length) return start.subarray(0, known.length).equals(known);
  // The first chunk of a pipe may be short: a line of it tells, and a slow pipe is not waited for.
  return isStream && start.includes(NEWLINE) && known.subarray(0, start.length).equals(start);
}

/** The first bytes of a stream, and the stream with them put back. */
async function peek(stream: AsyncIterable<Buffer | string>) {
  const iterator = stream[Symbol.asyncIterator]();
  const { value, done } = await iterator.next();
  const first = done ? Buffer.alloc(0) : typeof value === "string" ? Buffer.from(value) : value;
  async function* whole(): AsyncGenerator<Buffer | string> {
    if (first.length > 0) yield first;
    for (;;) {
      const next = await iterator.next();
      if (next.done) return;
      yield next.value;
    }
  }
  return { start: first.subarray(0, START_BYTES), stream: whole() };
}

/**
 * Bytes of the line end that begins at `position` of a file, where the line before was read without one: it has grown by it
 * since. 0 anywhere else.
 */
async function lineEndAt(source: Source, position: number): Promise<number> {
  if (position === 0) return 0;
  const around = await readBytes(source, position - 1, 3);
  if (around[0] === NEWLINE) return 0;
  if (around[1] === NEWLINE) return 1;
  return around[1] === RETURN && around[2] === NEWLINE ? 2 : 0;
}

function lengthKey(path: string): string {
  return `length of ${resolve(path)}`;
}

function seqKey(path: string): string {
  return `last alert in ${resolve(path)}`;
}
