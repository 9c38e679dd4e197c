import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { isDeepStrictEqual } from "node:util";
import type {
  Assignment,
  Commit,
  Follower,
  KeyedTopic,
  Log,
  Position,
  RecordBatch,
} from "../../src/log/port.ts";
import type { Time } from "../../src/time.ts";

/** Anything that is to happen does so within this, also on a busy machine. */
const LIMIT_MS = 30_000;
const POLL_MS = 10;

/** What became visible, each kind in the order in which it was written. */
export type Visible = {
  readonly findings: readonly string[];
  /** Of an epoch in the shadow. */
  readonly shadowFindings: readonly string[];
  readonly scoredLogins: readonly string[];
  readonly deadLetters: readonly string[];
};

/** An input of one partition, and what the contract needs of it beside the logs that read it. */
export type LogWorld = {
  /** A log on the same input and the same outputs, as another process has one. The contract closes it. */
  open(): Promise<Log>;
  append(records: readonly string[]): Promise<void>;
  visible(): Promise<Visible>;
  readonly time: Time;
  /** Runs a scenario to its end; where time is simulated, this is what makes it pass. */
  run(scenario: () => Promise<void>): Promise<void>;
};

/** What a commit writes, as far as a scenario cares. */
export type Outputs = Partial<
  Pick<
    Commit,
    "alerts" | "alertsShadow" | "scoredLogins" | "deadLetters" | "graphState" | "epochs" | "totals"
  >
>;

/** Logs, readers and followers of one scenario, and their end. */
export class Stage {
  readonly world: LogWorld;
  readonly #closing: (() => Promise<void>)[] = [];

  constructor(world: LogWorld) {
    this.world = world;
  }

  async open(): Promise<Log> {
    const log = await this.world.open();
    this.#closing.push(() => log.close());
    return log;
  }

  /** A process that was given the partition. */
  async reader(): Promise<Reader> {
    const log = await this.open();
    // As the engine does: the state is followed before any partition is taken on.
    const { follower } = await this.follow(log, "graph-state");
    await follower.caughtUp();
    const reader = new Reader(log, this.#closing.pop()!, this.#closing.pop()!, (what, isSo) =>
      this.until(what, isSo),
    );
    this.#closing.push(() => reader.close());
    await this.until("a partition is given", () => reader.assignmentCount > 0);
    return reader;
  }

  async follow(log: Log, topic: KeyedTopic): Promise<{ follower: Follower; live: Live }> {
    const live = new Live();
    const follower = log.follow(topic, ({ key, value }) => live.put(key, value));
    this.#closing.push(() => follower.close());
    return { follower, live };
  }

  until(what: string, isSo: () => boolean): Promise<void> {
    return this.becomes(what, isSo, true);
  }

  /** What is committed may take a moment until readers can see it. */
  async becomes<T>(what: string, read: () => T | Promise<T>, wanted: T): Promise<void> {
    const { time } = this.world;
    const deadlineMs = time.now() + LIMIT_MS;
    for (;;) {
      const found = await read();
      if (isDeepStrictEqual(found, wanted)) return;
      if (time.now() > deadlineMs) assert.deepEqual(found, wanted, `not within ${LIMIT_MS} ms: ${what}`);
      await time.sleep(POLL_MS);
    }
  }

  async close(): Promise<void> {
    for (const close of this.#closing.reverse()) await close();
  }
}

/** The live keys of a topic, in the order in which they were last written. */
class Live {
  readonly #values = new Map<string, string>();

  get size(): number {
    return this.#values.size;
  }

  put(key: string, value: Uint8Array | null): void {
    this.#values.delete(key);
    if (value !== null) this.#values.set(key, Buffer.from(value).toString());
  }

  *[Symbol.iterator](): Generator<string> {
    for (const [key, value] of this.#values) yield `${key}=${value}`;
  }
}

/** Reads the partition as the engine does, and commits what it is told to. */
class Reader {
  readonly log: Log;
  readonly values: string[] = [];
  readonly offsets: number[] = [];
  assignmentCount = 0;
  isAtEnd = false;
  readonly #closing: readonly (() => Promise<void>)[];
  readonly #until: (what: string, isSo: () => boolean) => Promise<void>;
  readonly #stop = new AbortController();
  readonly #positions: Position[] = [];
  readonly #run: Promise<void>;
  #assignment: Assignment | undefined;
  #isClosed = false;

  constructor(
    log: Log,
    closeFollower: () => Promise<void>,
    closeLog: () => Promise<void>,
    until: (what: string, isSo: () => boolean) => Promise<void>,
  ) {
    this.log = log;
    this.#closing = [closeFollower, closeLog];
    this.#until = until;
    this.#run = this.#read();
  }

  get assignment(): Assignment {
    return this.#assignment!;
  }

  reads(count: number): Promise<void> {
    return this.#until(`${count} records are read`, () => this.values.length >= count);
  }

  positionAfter(i: number): Position {
    return this.#positions[i]!;
  }

  /** Commits what was read up to and including record `i`. */
  commit(i: number, outputs: Outputs = {}) {
    return this.log.commit({
      partition: this.assignment.partition,
      position: this.positionAfter(i),
      alerts: [],
      scoredLogins: [],
      deadLetters: [],
      graphState: [],
      epochs: [],
      totals: "{}",
      ...outputs,
    });
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Without a commit: what is not committed by now never was read. */
  async close(): Promise<void> {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.stop();
    this.#assignment?.release();
    for (const close of this.#closing) await close();
    await this.#run;
  }

  async #read(): Promise<void> {
    for await (const assignment of this.log.assignments(this.#stop.signal)) {
      this.assignmentCount++;
      this.#assignment = assignment;
      try {
        for await (const batch of assignment.batches) this.#take(batch);
      } catch (error) {
        // Closed in the middle of a read, a log may say that it could not be done.
        if (!this.#isClosed) throw error;
      }
      this.isAtEnd = true;
      if (this.log.isEndless) assignment.release();
    }
  }

  #take(batch: RecordBatch): void {
    for (let i = 0; i < batch.length; i++) {
      this.values.push(batch.bufferOf(i).toString("utf8", batch.starts[i], batch.ends[i]));
      this.offsets.push(batch.offsetOf(i));
      this.#positions.push(batch.positionAfter(i));
    }
  }
}
