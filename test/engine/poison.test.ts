import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { loadConfig } from "../../src/config/load.ts";
import { Engine } from "../../src/engine/engine.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { WholeMerging } from "../../src/engine/segment-merging.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { EmbeddedLog } from "../../src/log/embedded/embedded-log.ts";
import { REAL_TIME } from "../../src/time.ts";
import { temporaryFolder } from "../processes/oddlink.ts";
import { FAILS_IN_ADDING, FAILS_IN_EXPLAINING, FAILS_IN_SCORING, poison } from "./poison.ts";

const HOUR_SECONDS = 3600;
const COUNT = 1000;

/** Logins of some weeks, two hours apart, with event ids; what `inPlaceOf` gives for a row takes its place. */
function rows(inPlaceOf: (i: number) => string | undefined): string[] {
  return Array.from({ length: COUNT }, (_, i) => {
    const user = inPlaceOf(i) ?? `U${i % 7}`;
    if (user === "rubbish") return user;
    return JSON.stringify({
      uid: `event ${i}`,
      timeMs: (1_600_000_000 + i * 2 * HOUR_SECONDS) * 1000,
      user,
      sourceHost: `C${i % 11 === 0 ? i % 50 : i % 7}`,
      targetHost: `C${100 + (i % 9)}`,
      authType: i % 13 === 0 ? "NTLM" : "Kerberos",
    });
  });
}

async function runEngine(folder: string, store: string, lines: readonly string[]) {
  const file = join(folder, "logins.jsonl");
  writeFileSync(file, `${lines.join("\n")}\n`);
  const log = await EmbeddedLog.open({
    sources: await findSources([file]),
    store,
    recordBytesMax: 1 << 20,
  });
  const troubles: string[] = [];
  const told: number[] = [];
  const engine = new Engine({
    config: loadConfig({
      environment: {},
      flags: {
        "training.mode": "off",
        "surprise.warmupHours": 1,
        "surprise.learnLogins": 20,
        threshold: 0.5,
      },
    }),
    log,
    time: REAL_TIME,
    merging: (state) => new WholeMerging(state, 20_000),
    train: async () => {
      throw new Error("no training here");
    },
    onTrouble: (message) => troubles.push(message),
    onScored: (login) => told.push(login.timeMs),
  });
  let failure: unknown;
  try {
    await engine.run().catch((error: unknown) => (failure = error));
    const { rejected, ...totals } = engine.totals;
    return {
      failure,
      troubles,
      told,
      rejected,
      totals,
      rebuilds: engine.rebuildCount,
      digest: digestOf(engine.graph),
      findings: [...log.store.findings()].map(({ finding }) => finding),
    };
  } finally {
    await log.close();
  }
}

async function runOn(t: TestContext, lines: readonly string[]) {
  const folder = temporaryFolder(t);
  const store = join(folder, "store.db");
  const result = await runEngine(folder, store, lines);
  return { ...result, deadLetters: deadLettersOf(store) };
}

function deadLettersOf(store: string) {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    const rows = database.prepare("SELECT * FROM dead_letters ORDER BY offset").all();
    return rows.map(({ offset, reason, detail, bytes }) => ({
      offset,
      reason,
      detail,
      text: Buffer.from(bytes as Uint8Array).toString(),
    }));
  } finally {
    database.close();
  }
}

for (const [where, user, bad, rebuilds] of [
  ["before it has changed anything", FAILS_IN_SCORING, [500, 703, 704], 0],
  ["half-way into the graph", FAILS_IN_ADDING, [0, 703, 704], 3],
  ["in its alert", FAILS_IN_EXPLAINING, [500, 703, 704], 3],
] as const) {
  test(`a record that fails ${where} is a dead letter, and all else is as if it had not been there`, async (t) => {
    const isBad = (i: number): boolean => bad.some((row) => row === i);
    const without = await runOn(
      t,
      rows((i) => (isBad(i) ? "rubbish" : undefined)),
    );
    poison(t);
    const lines = rows((i) => (isBad(i) ? user : undefined));
    const { failure, troubles, deadLetters, ...result } = await runOn(t, lines);
    assert.equal(failure, undefined);
    assert.ok(without.findings.length > 10);
    assert.ok(isDeepStrictEqual(result.findings, without.findings), "the same alerts");
    assert.equal(result.digest, without.digest);
    assert.deepEqual(result.totals, without.totals);
    assert.deepEqual(result.told, without.told, "each scored login was told of once");
    assert.equal(result.rejected["scoring-failed"], 3);
    assert.equal(result.rebuilds, rebuilds);
    assert.deepEqual(
      deadLetters,
      bad.map((i) => ({ offset: i, reason: "scoring-failed", detail: `Error: ${user}`, text: lines[i] })),
    );
    assert.equal(troubles.length, 1, "the stack is shown once");
    assert.match(troubles[0]!, /record \d+ of partition 0 .*poison\.ts/);
  });
}

test("a failed record sent again after a fix is no duplicate of itself", async (t) => {
  const mend = poison(t);
  const lines = rows((i) => (i === 5 ? FAILS_IN_SCORING : undefined));
  let count = 0;
  const { score } = Scoring.prototype;
  t.mock.method(Scoring.prototype, "score", function (this: Scoring, ...args: Parameters<typeof score>) {
    if (++count === 100) mend();
    return score.apply(this, args);
  });
  const { totals, rejected } = await runOn(t, [...lines.slice(0, 200), lines[5]!, ...lines.slice(200)]);
  assert.equal(rejected["scoring-failed"], 1);
  assert.equal(totals.duplicate, 0);
  assert.equal(totals.scored, COUNT);
});

test("a bug that is no record's own ends the run, with what was committed kept", async (t) => {
  const { advance } = Graph.prototype;
  let count = 0;
  t.mock.method(Graph.prototype, "advance", function (this: Graph, timeMs: number) {
    if (++count === 800) throw new Error("time can't go on");
    advance.call(this, timeMs);
  });
  const { failure, rejected } = await runOn(
    t,
    rows(() => undefined),
  );
  assert.match(String(failure), /time can't go on/);
  assert.equal(rejected["scoring-failed"], 0);
});

test("memory that can't be had is no record's fault", async (t) => {
  t.mock.method(Graph.prototype, "apply", () => {
    throw new RangeError("Array buffer allocation failed");
  });
  const { failure, deadLetters } = await runOn(
    t,
    rows(() => undefined),
  );
  assert.match(String(failure), /allocation failed/);
  assert.equal(deadLetters.length, 0);
});
