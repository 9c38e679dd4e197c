import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, type TestContext, test } from "node:test";
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
/** No test takes longer; of real time. */
const TEST_MS_MAX = 120_000;

/** What became visible, each kind in the order in which it was written. */
export type Visible = {
  readonly findings: readonly string[];
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

/** What the engine relies on, whichever log it has: files and SQLite, Kafka, or the simulated cluster. */
export function logContract(
  name: string,
  { isShared }: { readonly isShared: boolean },
  setup: (t: TestContext) => Promise<LogWorld>,
): void {
  const scenario = (behaviour: string, run: (stage: Stage) => Promise<void>): void => {
    test(behaviour, { timeout: TEST_MS_MAX }, async (t) => {
      const world = await setup(t);
      await world.run(async () => {
        const stage = new Stage(world);
        try {
          await run(stage);
        } finally {
          await stage.close();
        }
      });
    });
  };

  describe(name, () => {
    scenario("hands over every record of the input, in order, with offsets that go up", async (stage) => {
      await stage.world.append(["a", "b", "c"]);
      const reader = await stage.reader();
      await reader.reads(3);
      assert.deepEqual(reader.values, ["a", "b", "c"]);
      assert.deepEqual(
        reader.offsets,
        [...reader.offsets].sort((a, b) => a - b),
      );
      assert.equal(new Set(reader.offsets).size, 3);
      assert.equal(reader.assignment.isNew, true);
      assert.equal(reader.log.isShared, isShared);
    });

    scenario("shows nothing of a commit before it, and all of it after", async (stage) => {
      await stage.world.append(["a", "b"]);
      const reader = await stage.reader();
      await reader.reads(2);
      assert.deepEqual(await stage.world.visible(), { findings: [], scoredLogins: [], deadLetters: [] });
      assert.equal(await reader.commit(1, outputsOf(0, "one")), "committed");
      await stage.becomes("all of it is visible", () => stage.world.visible(), {
        findings: ['{"finding":"one"}'],
        scoredLogins: ['{"scored":"one"}'],
        deadLetters: ["dead one"],
      });
    });

    scenario("begins where it was committed: what was read and not committed comes again", async (stage) => {
      await stage.world.append(["a", "b", "c", "d"]);
      const first = await stage.reader();
      await first.reads(4);
      await first.commit(0);
      await first.commit(1);
      await first.close();
      const second = await stage.reader();
      assert.deepEqual(second.assignment.position.offset, first.positionAfter(1).offset);
      assert.equal(second.assignment.isNew, false);
      await second.reads(2);
      assert.deepEqual(second.values, ["c", "d"]);
    });

    scenario("a commit of nothing but a position is one too", async (stage) => {
      await stage.world.append(["a", "b"]);
      const first = await stage.reader();
      await first.reads(2);
      assert.equal(await first.commit(1), "committed");
      await first.close();
      await stage.world.append(["c"]);
      const second = await stage.reader();
      await second.reads(1);
      assert.deepEqual(second.values, ["c"]);
    });

    for (const topic of ["graph-state", "epochs"] as const) {
      scenario(`keeps the newest value of each live key of ${topic} for whoever follows`, async (stage) => {
        await stage.world.append(["a", "b", "c"]);
        const reader = await stage.reader();
        await reader.reads(3);
        await reader.commit(0, keyed(topic, { k1: "1", k2: "2", k3: "3" }));
        await reader.commit(1, keyed(topic, { k1: null, k2: "2 again", k4: "4" }));
        await reader.close();
        const followed = await stage.follow(await stage.open(), topic);
        await followed.follower.caughtUp();
        // In the order in which the keys were last written.
        const wanted = ["k3=3", "k2=2 again", "k4=4"];
        await stage.becomes("all live keys came", () => [...followed.live], wanted);
      });
    }

    scenario("reads back what one partition holds under each key by now", async (stage) => {
      await stage.world.append(["a", "b"]);
      const reader = await stage.reader();
      await reader.reads(2);
      await reader.commit(0, keyed("graph-state", { k1: "1", k2: "2" }));
      await reader.commit(1, keyed("graph-state", { k1: null, k2: "2 again" }));
      const values = async (): Promise<string[]> =>
        Array.from(
          await reader.log.readBack("graph-state", 0),
          ([key, value]) => `${key}=${Buffer.from(value)}`,
        );
      await stage.becomes("both commits are read back", values, ["k2=2 again"]);
    });

    scenario("holds large values unchanged", async (stage) => {
      await stage.world.append(["a"]);
      const reader = await stage.reader();
      await reader.reads(1);
      // Not compressible, or a broker would have less to take.
      const value = Buffer.alloc(800_000);
      for (let i = 0; i < value.length; i++) value[i] = (i * 2_654_435_761) >>> 24;
      await reader.commit(0, { graphState: [{ key: "large", value }] });
      const isSame = async (): Promise<boolean> => {
        const read = (await reader.log.readBack("graph-state", 0)).get("large");
        return read !== undefined && value.equals(read);
      };
      await stage.becomes("it is read back as it was written", isSame, true);
    });

    if (isShared) {
      scenario("lets every process see what another one commits", async (stage) => {
        await stage.world.append(["a", "b"]);
        const reader = await stage.reader();
        const other = await stage.follow(await stage.open(), "graph-state");
        await reader.reads(2);
        await reader.commit(0, keyed("graph-state", { k1: "1", k2: "2" }));
        await stage.until("both keys came", () => other.live.size === 2);
        await reader.commit(1, keyed("graph-state", { k1: null }));
        await stage.until("the deletion came", () => other.live.size === 1);
        assert.deepEqual([...other.live], ["k2=2"]);
      });
    }

    scenario("keeps the totals of the last commit, or none at all", async (stage) => {
      await stage.world.append(["a", "b"]);
      const reader = await stage.reader();
      assert.equal(reader.log.totals(), undefined);
      await reader.reads(2);
      await reader.commit(0, { totals: '{"n":1}' });
      await reader.commit(1, { totals: '{"n":2}' });
      await reader.close();
      assert.equal((await stage.open()).totals(), isShared ? undefined : '{"n":2}');
    });

    scenario("gives no partition after the signal, and ends the batches of those it gave", async (stage) => {
      await stage.world.append(["a"]);
      const reader = await stage.reader();
      await reader.reads(1);
      await reader.commit(0);
      reader.stop();
      await stage.until("the batches end", () => reader.isAtEnd);
      await reader.close();
      assert.equal(reader.assignmentCount, 1);
    });
  });
}

type Outputs = Partial<
  Pick<Commit, "alerts" | "scoredLogins" | "deadLetters" | "graphState" | "epochs" | "totals">
>;

function outputsOf(offset: number, name: string): Outputs {
  return {
    alerts: [
      {
        uid: `uid ${name}`,
        incidentUid: "incident",
        timeMs: 1_700_000_000_000,
        signal: "surprise",
        score: 0.1,
        partition: 0,
        offset,
        finding: JSON.stringify({ finding: name }),
      },
    ],
    scoredLogins: [{ offset, user: "ann", line: JSON.stringify({ scored: name }) }],
    deadLetters: [
      {
        partition: 0,
        offset,
        reason: "not-json",
        detail: "",
        bytes: Buffer.from(`dead ${name}`),
        metadata: { key: null, timestampMs: undefined },
      },
    ],
  };
}

function keyed(topic: KeyedTopic, values: Readonly<Record<string, string | null>>): Outputs {
  const records = Object.entries(values).map(([key, value]) => ({
    key,
    value: value === null ? null : Buffer.from(value),
  }));
  return topic === "graph-state" ? { graphState: records } : { epochs: records };
}

/** Logs, readers and followers of one scenario, and their end. */
class Stage {
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
