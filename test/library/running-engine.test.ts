import "./from-sources.ts";
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { MemoryLogState as State } from "../../examples/embed/memory-log.ts";
import { type Commit, type CommitResult, startEngine } from "../../src/index.ts";
import { DAY_MS, ordinary, START_MS } from "../engine/office.ts";

const { MemoryLog, MemoryLogState } = await import("../../examples/embed/memory-log.ts");

const RECORDS = Array.from(ordinary(START_MS + 2 * DAY_MS), (login) => Buffer.from(JSON.stringify(login)));
const OPTIONS = { settings: { training: { mode: "off" } }, scoredLogins: true } as const;

const scoredOf = ({ commits }: State): string[] =>
  commits.flatMap(({ scoredLogins }) => scoredLogins.map(({ line }) => line));

async function whole(): Promise<{ state: State; status: object }> {
  const state = new MemoryLogState();
  const engine = await startEngine(new MemoryLog(RECORDS, state), OPTIONS);
  await engine.ended;
  return { state, status: engine.status() };
}

test("an engine that is stopped has committed what it read, and the next one on the log goes on as if it never was", async () => {
  const { state: wanted, status } = await whole();
  const state = new MemoryLogState();
  const first = await startEngine(new MemoryLog(RECORDS, state), OPTIONS);
  await new Promise(setImmediate);
  await first.stop();
  assert.equal(state.offset, first.status().consumed);
  const second = await startEngine(new MemoryLog(RECORDS, state), OPTIONS);
  await second.ended;
  assert.equal(state.offset, RECORDS.length);
  assert.deepEqual(scoredOf(state), scoredOf(wanted));
  assert.deepEqual(second.status(), status);
});

test("what a log throws is what the engine ends with", async () => {
  const full = new Error("the disk is full");
  class FullLog extends MemoryLog {
    override async commit(_commit: Commit): Promise<CommitResult> {
      throw full;
    }
  }
  const engine = await startEngine(new FullLog(RECORDS), OPTIONS);
  await assert.rejects(engine.ended, (error) => error === full);
});

test("a log whose state can't be read starts no engine", async () => {
  const state = new MemoryLogState();
  state.put("graph-state", { key: "0/00000/000000", value: Buffer.from("no segment") });
  await assert.rejects(startEngine(new MemoryLog(RECORDS, state), OPTIONS), {
    name: "OddlinkError",
    code: "SEGMENT_CORRUPT",
  });
});
