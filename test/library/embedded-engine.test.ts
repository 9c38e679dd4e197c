import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { openFileLog } from "../../src/cli/file-run.ts";
import { loadConfig } from "../../src/config/load.ts";
import {
  type DetectionFinding,
  type EmbeddedEngine,
  type ErrorCode,
  type LoginInput,
  OddlinkError,
  type OpenOptions,
  openEngine,
  readRecords,
  type ScoredLogin,
  startEngine,
} from "../../src/index.ts";
import { findSources } from "../../src/ingest/sources.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "../engine/office.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

const UNTRAINED = { training: { mode: "off" }, alertsPerDay: 20 } as const;
const DAYS = 3;
const LOGINS: readonly LoginInput[] = [...ordinary(START_MS + DAYS * DAY_MS)].flatMap((login, i) =>
  // Now and then somebody comes by NTLM from a host that is not his own.
  i % 300 === 299
    ? [login, { ...login, sourceHost: "W1", authType: "NTLM", evidence: "weak" as const }]
    : [login],
);

type Told = {
  readonly alerts: DetectionFinding[];
  readonly scored: ScoredLogin[];
  readonly rejected: string[];
};

async function opened(options: OpenOptions = {}): Promise<{ engine: EmbeddedEngine; told: Told }> {
  const told: Told = { alerts: [], scored: [], rejected: [] };
  const engine = await openEngine({
    settings: UNTRAINED,
    onAlert: (finding) => told.alerts.push(finding),
    onScored: (login) => told.scored.push(login),
    onRejected: ({ offset, reason }) => told.rejected.push(`${offset} ${reason}`),
    ...options,
  });
  return { engine, told };
}

async function* slowly<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const [i, item] of items.entries()) {
    if (i % 500 === 0) await sleep(1);
    yield item;
  }
}

async function* lost<T>(items: readonly T[]): AsyncGenerator<T> {
  yield* items;
  throw new Error("connection lost");
}

const isCode =
  (code: ErrorCode, message = /./) =>
  (error: unknown): boolean =>
    error instanceof OddlinkError && error.code === code && message.test(error.message);

test("however logins are handed over, the same is scored and told", async () => {
  const whole = await opened();
  await whole.engine.add(LOGINS);
  const parts = await opened();
  for (const login of LOGINS.slice(0, 20)) await parts.engine.add([login]);
  await parts.engine.add(LOGINS.slice(20, 1000).map((login) => JSON.stringify(login)));
  await parts.engine.add(slowly(LOGINS.slice(1000).map((login) => Buffer.from(JSON.stringify(login)))));
  assert.ok(whole.told.alerts.length > 2, `${whole.told.alerts.length} alerts`);
  assert.deepEqual(parts.told, whole.told);
  assert.deepEqual(parts.engine.status(), whole.engine.status());
  assert.equal(whole.told.scored.length, LOGINS.length);
  assert.equal(whole.engine.committed, LOGINS.length);
  for (const { engine } of [whole, parts]) await engine.close();
});

test("what came of records is told by the time they are added, and records that can't be read are no error", async () => {
  const { engine, told } = await opened();
  const [first, second] = LOGINS;
  await engine.add([first!, "{", { ...second!, user: "" }, second!]);
  assert.deepEqual(
    told.scored.map(({ user }) => user),
    [first!.user, second!.user],
  );
  assert.deepEqual(told.rejected, ["1 invalid-json", "2 invalid-login"]);
  const { consumed, scored, rejected } = engine.status();
  assert.deepEqual([consumed, scored, rejected], [4, 2, 2]);
  await engine.close();
});

test("an engine goes on where the one before on the same store was, with uids of its own", async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const whole = await opened();
  await whole.engine.add(LOGINS);
  const half = LOGINS.length / 2;
  const first = await opened({ store });
  await first.engine.add(LOGINS.slice(0, half));
  await first.engine.close();
  const second = await opened({ store });
  assert.equal(second.engine.committed, Math.floor(half));
  await second.engine.add(LOGINS.slice(second.engine.committed));
  assert.deepEqual([...first.told.alerts, ...second.told.alerts], whole.told.alerts);
  assert.deepEqual(second.engine.status(), whole.engine.status());
  for (const { engine } of [whole, second]) await engine.close();
  await assert.rejects(
    openEngine({ store, settings: { ...UNTRAINED, seed: 9 } }),
    isCode("STORE_MISMATCH", /seed/),
  );
});

test("what a handler throws ends the engine; nothing of that commit is kept, and the same alert comes again", async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const broken = new Error("no mail server");
  const uids: string[] = [];
  const failing = await opened({
    store,
    onAlert: async ({ metadata }) => {
      uids.push(metadata.uid);
      throw broken;
    },
  });
  await assert.rejects(failing.engine.add(LOGINS), (error) => error === broken);
  await assert.rejects(failing.engine.add(LOGINS), (error) => error === broken);
  const { committed } = failing.engine;
  // It has closed its store: another engine can open that.
  const { engine, told } = await opened({ store });
  assert.equal(engine.committed, committed);
  assert.ok(committed < LOGINS.length);
  await engine.add(LOGINS.slice(committed));
  assert.equal(uids.length, 1);
  assert.equal(told.alerts[0]!.metadata.uid, uids[0]);
  await engine.close();
  await failing.engine.close();
});

test("a failure that add could not tell of is told by close", async () => {
  const broken = new Error("nobody listens");
  const { engine } = await opened({
    onScored: () => {
      throw broken;
    },
  });
  await assert.rejects(engine.add(lost(LOGINS.slice(0, 3))), /connection lost/);
  await assert.rejects(engine.close(), (error) => error === broken);
});

test("of a source that never ends no more is taken than can wait, and close ends it", async () => {
  let taken = 0;
  const [asked, held] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const { engine } = await opened({
    onScored: () => {
      asked.resolve();
      return held.promise;
    },
  });
  function* endless(): Generator<LoginInput> {
    for (;;) yield { ...LOGINS[0]!, timeMs: START_MS + taken++ };
  }
  const ended = assert.rejects(engine.add(endless()), isCode("STOPPED"));
  await asked.promise;
  await sleep(20);
  const before = taken;
  await sleep(50);
  assert.equal(taken, before, "nothing is taken while a handler holds up the commit");
  assert.ok(taken > 1000 && taken < 10_000, `${taken} taken`);
  const closed = engine.close();
  held.resolve();
  await Promise.all([closed, ended]);
  assert.equal(
    engine.committed,
    before - 1,
    "but for the one that waited for room all that was taken is committed",
  );
  await assert.rejects(engine.add(LOGINS), isCode("STOPPED"));
});

test("what a source throws is no failure of the engine", async () => {
  const { engine } = await opened();
  await assert.rejects(engine.add(lost(LOGINS.slice(0, 1))), /connection lost/);
  await engine.add(LOGINS.slice(1, 10));
  assert.equal(engine.status().scored, 10);
  await engine.close();
});

test("several sources at a time take turns, and one that is silent does not hold up another", async () => {
  const { engine } = await opened();
  const silent = Promise.withResolvers<void>();
  async function* quiet(): AsyncGenerator<LoginInput> {
    yield LOGINS[0]!;
    await silent.promise;
    yield LOGINS[11]!;
  }
  const first = engine.add(quiet());
  await engine.add(LOGINS.slice(1, 11));
  assert.equal(engine.status().scored, 11);
  silent.resolve();
  await first;
  assert.equal(engine.status().scored, 12);
  await engine.close();
});

test("probing learns nothing, needs no time, and says of what is no login why", async () => {
  const { engine } = await opened();
  await engine.add(LOGINS);
  const before = engine.status();
  const usual = engine.probe({ user: "U3", sourceHost: "W3", targetHost: "S12", authType: "Kerberos" });
  const odd = engine.probe({ user: "U3", sourceHost: "W9", targetHost: "payroll", authType: "NTLM" });
  assert.ok(usual.kind === "scored" && odd.kind === "scored");
  assert.equal(odd.signal, "presence");
  assert.ok(odd.score < 1e-9 && odd.score < usual.score && odd.reasons.length > 0);
  const wrong = engine.probe({ user: "U3", sourceHost: "W9" });
  assert.equal(wrong.kind === "rejected" && wrong.reason, "no-target-host");
  assert.deepEqual(engine.status(), before);
  await engine.close();
});

test("settings that are wrong, or of the commands only, are named before anything is opened", async (t) => {
  const store = join(temporaryFolder(t), "none", "store.db");
  const open = (settings: object) => openEngine({ store, settings });
  await assert.rejects(open({ alertsPerDay: 0 }), isCode("CONFIG_INVALID", /alertsPerDay: .*\[settings\]/));
  await assert.rejects(open({ windows: {} }), isCode("CONFIG_INVALID", /windows: there is no such setting/));
  await assert.rejects(open({ kafka: {} }), isCode("CONFIG_INVALID", /kafka: an embedded engine/));
  const { engine } = await opened();
  await assert.rejects(engine.add("a line"), isCode("USAGE", /into an array/));
  await engine.close();
});

test("names that a table gives are those that are scored", async (t) => {
  const file = join(temporaryFolder(t), "hosts.csv");
  writeFileSync(file, "from,to\n10.0.0.1,pc-ann\n");
  const settings = { ...UNTRAINED, input: { resolution: { hosts: { file } } } };
  const { engine, told } = await opened({ settings });
  await engine.add([{ timeMs: START_MS, user: "ann", sourceHost: "10.0.0.1", targetHost: "files" }]);
  assert.equal(told.scored[0]!.sourceHost, "pc-ann");
  await engine.close();
  const topic = { ...UNTRAINED, input: { resolution: { users: { topic: "people" } } } };
  await assert.rejects(openEngine({ settings: topic }), isCode("CONFIG_INVALID", /reads no topic/));
});

test("the store of a run of files can be opened, and is another input than what is handed over", async (t) => {
  const folder = temporaryFolder(t);
  const [file, store] = [join(folder, "logins"), join(folder, "store.db")];
  writeFileSync(file, LOGINS.map((login) => `${JSON.stringify(login)}\n`).join(""));
  const flags = { "training.mode": "off", alertsPerDay: 20, "outputs.store": store };
  const log = await openFileLog(loadConfig({ environment: {}, flags }), await findSources([file]));
  const running = await startEngine(log, { settings: UNTRAINED });
  await running.ended;
  await log.close();
  const { engine } = await opened({ store });
  assert.equal(engine.committed, 0);
  assert.equal(engine.status().scored, LOGINS.length);
  await engine.add([{ ...LOGINS[0]!, timeMs: START_MS + DAYS * DAY_MS + MINUTE_MS }]);
  assert.equal(engine.committed, 1);
  await engine.close();
});

test("records of files are those that a run reads, and as many as wished are passed over", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "a.log"), "one\r\ntwo\n\n");
  writeFileSync(join(folder, "b.log"), `three\n${"x".repeat(3000)}\nlast`);
  const read = async (skip?: number): Promise<string[]> => {
    const records: string[] = [];
    for await (const record of readRecords([folder], { skip, recordBytesMax: 2000 }))
      records.push(Buffer.from(record).toString());
    return records;
  };
  const all = ["one", "two", "", "three", "x".repeat(2001), "last"];
  assert.deepEqual(await read(), all);
  assert.deepEqual(await read(4), all.slice(4));
  assert.deepEqual(await read(100), []);
  await assert.rejects(readRecords([join(folder, "no")]).next(), isCode("SOURCE_NOT_FOUND"));
});

test("a model is trained in a thread while records are added, and is kept in the store", async (t) => {
  const store = join(temporaryFolder(t), "store.db");
  const settings = { training: { steps: 5, linksMin: 20, gate: false }, alertsPerDay: 20 };
  const first = await opened({ store, settings });
  await first.engine.add(LOGINS);
  const { epoch } = first.engine.status();
  assert.ok(epoch !== undefined && epoch >= 2, `epoch ${epoch}`);
  assert.ok(first.told.scored.at(-1)!.signals.link !== undefined);
  await first.engine.close();
  const second = await opened({ store, settings });
  assert.equal(second.engine.status().epoch, epoch);
  await second.engine.close();
});
