import assert from "node:assert/strict";
import { test } from "node:test";
import { Canary, type CanaryOptions, MISSED_AFTER_MS, type Outcome } from "../../src/canary/canary.ts";
import { OddlinkError } from "../../src/errors.ts";
import type { KafkaClient, ProducedRecord, TailOptions } from "../../src/log/kafka/client.ts";
import { CANARY } from "../../src/log/kafka/produced-records.ts";

const EVERY_MS = 10_000;
const DEADLINE_MS = 5000;
const PARTITIONS = [0, 1, 2].map((partition) => ({ partition, low: 0, high: 7, stable: 5 }));

/** What a broker does in one turn: how long the alert of what was sent takes, undefined if none comes; an error if it takes nothing. */
type Turn = { readonly alertAfterMs?: number | undefined; readonly error?: Error };

/** Runs a canary for as many turns, on a clock of its own. */
async function played(turns: readonly Turn[], more: Partial<CanaryOptions> = {}) {
  const stop = new AbortController();
  const outcomes: [Outcome, number | undefined][] = [];
  const written: ProducedRecord[][] = [];
  let nowMs = 0;
  let turn = -1;
  let tail: TailOptions | undefined;
  const due: { readonly atMs: number; readonly id: string }[] = [];
  const time = {
    now: () => nowMs,
    monotonicMs: () => nowMs,
    sleep: async (ms: number) => {
      const endMs = nowMs + ms;
      for (const { atMs, id } of due.splice(0).sort((a, b) => a.atMs - b.atMs)) {
        if (atMs > endMs) {
          due.push({ atMs, id });
          continue;
        }
        nowMs = atMs;
        const record = { offset: 9, timestampMs: nowMs, key: null, value: null, headers: { [CANARY]: id } };
        tail!.onRecords(0, [record], 10);
      }
      nowMs = endMs;
      if (ms !== EVERY_MS) return;
      turn++;
      if (turn === turns.length) stop.abort();
    },
  };
  const client = {
    topicOffsets: async () => PARTITIONS,
    tail: (options: TailOptions) => {
      tail = options;
      return { close: async () => {} };
    },
    producer: () => ({
      fence: async () => {},
      close: async () => {},
      transact: async (records: readonly ProducedRecord[]) => {
        const { error, alertAfterMs } = turns[turn] ?? {};
        if (error !== undefined) throw error;
        written.push([...records]);
        const id = String(records[0]!.headers?.[CANARY]);
        if (alertAfterMs !== undefined) due.push({ atMs: nowMs + alertAfterMs, id });
      },
    }),
  } as unknown as KafkaClient;
  let ids = 0;
  const canary = new Canary({
    client,
    time,
    group: "oddlink",
    topics: { logins: "logins", alerts: "alerts" },
    presence: { learnHours: 6, learnRecords: 50 },
    everyMs: EVERY_MS,
    deadlineMs: DEADLINE_MS,
    newId: () => `id-${ids++}`,
    onOutcome: (outcome, seconds) => outcomes.push([outcome, seconds]),
    onTrouble: () => {},
    signal: stop.signal,
    ...more,
  });
  await canary.run();
  return { outcomes, written, tail: tail!, canary };
}

test("an alert in time is a detection, one after the deadline is late, one that does not come within a minute is missed", async () => {
  const turns: Turn[] = [{ alertAfterMs: 200 }, { alertAfterMs: 7000 }, {}];
  while (turns.length * EVERY_MS < 3 * EVERY_MS + MISSED_AFTER_MS + EVERY_MS) turns.push({ alertAfterMs: 1 });
  const { outcomes } = await played(turns);
  assert.deepEqual(outcomes.slice(0, 2), [
    ["detected", 0.2],
    ["late", 7],
  ]);
  assert.deepEqual(
    outcomes.filter(([outcome]) => outcome === "missed"),
    [["missed", undefined]],
  );
  assert.equal(outcomes.filter(([outcome]) => outcome === "late").length, 1);
});

test("first comes what is usual of the account, as often as it takes to be judged; then odd logins, to one partition after the other", async () => {
  const { written } = await played([{}, {}, {}, {}]);
  const [usual, ...odd] = written;
  assert.equal(usual!.length, 51);
  const ages = usual!.map(({ value }) => JSON.parse(String(value)).ageMs as number);
  assert.equal(ages[0], 7 * 3_600_000);
  assert.equal(ages.at(-1), 0);
  assert.deepEqual(
    odd.map(([record]) => record!.partition),
    [0, 1, 2, 0],
  );
});

test("what can't be written now is counted, and tried again with the next; what is refused ends it", async () => {
  const busy = new OddlinkError("KAFKA_UNREACHABLE", "no broker");
  const { outcomes } = await played([{ alertAfterMs: 1 }, { error: busy }, { alertAfterMs: 1 }, {}]);
  assert.deepEqual(
    outcomes.map(([outcome]) => outcome),
    ["detected", "unsent", "detected"],
  );
  const denied = new OddlinkError("KAFKA_DENIED", "may not write");
  await assert.rejects(played([{ error: denied }]), { code: "KAFKA_DENIED" });
});

test("alerts from before it began are none of its own, and it reads none of them", async () => {
  const { tail, outcomes } = await played([{}]);
  assert.equal(tail.startAt?.(1), 5);
  const record = { offset: 3, timestampMs: 0, key: null, value: null, headers: { [CANARY]: "another" } };
  tail.onRecords(0, [record], 4);
  tail.onRecords(0, [{ ...record, headers: {} }], 5);
  assert.deepEqual(outcomes, []);
});
