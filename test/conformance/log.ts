import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { describe, type TestContext, test } from "node:test";
import type { KeyedTopic } from "../../src/log/port.ts";
import { type LogWorld, type Outputs, Stage } from "./log-stage.ts";

/** No test takes longer; of real time. */
const TEST_MS_MAX = 120_000;

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
      assert.deepEqual(await stage.world.visible(), {
        findings: [],
        shadowFindings: [],
        scoredLogins: [],
        deadLetters: [],
      });
      assert.equal(await reader.commit(1, outputsOf(0, "one")), "committed");
      await stage.becomes("all of it is visible", () => stage.world.visible(), {
        findings: ['{"finding":"one"}'],
        shadowFindings: ['{"finding":"one in the shadow"}'],
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

    scenario(
      "hands what a person appends to whoever follows, here and elsewhere, and keeps it",
      async (stage) => {
        const reader = await stage.reader();
        const { log } = reader;
        const followed = await stage.follow(log, "verdicts");
        await followed.follower.caughtUp();
        const append = (key: string, value: string | null): Promise<void> =>
          log.append("verdicts", { key, value: value === null ? null : Buffer.from(value) });
        await append("k1", "1");
        await append("k2", "2");
        await stage.becomes("both came", () => [...followed.live], ["k1=1", "k2=2"]);
        await append("k1", "1 again");
        await append("k2", null);
        await stage.becomes("the last ones came", () => [...followed.live], ["k1=1 again"]);
        await followed.follower.close();
        await reader.close();
        const later = await stage.follow(await stage.open(), "verdicts");
        await later.follower.caughtUp();
        await stage.becomes("it is still there", () => [...later.live], ["k1=1 again"]);
      },
    );

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

function outputsOf(offset: number, name: string): Outputs {
  const alert = (text: string) => ({
    uid: `uid ${text}`,
    incidentUid: "incident",
    timeMs: 1_700_000_000_000,
    signal: "surprise",
    score: 0.1,
    partition: 0,
    offset,
    finding: JSON.stringify({ finding: text }),
  });
  return {
    alerts: [alert(name)],
    alertsShadow: [alert(`${name} in the shadow`)],
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

function keyed(
  topic: Exclude<KeyedTopic, "verdicts">,
  values: Readonly<Record<string, string | null>>,
): Outputs {
  const records = Object.entries(values).map(([key, value]) => ({
    key,
    value: value === null ? null : Buffer.from(value),
  }));
  return topic === "graph-state" ? { graphState: records } : { epochs: records };
}
