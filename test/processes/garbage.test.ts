import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { gzipSync } from "node:zlib";
import { run, temporaryFolder } from "./oddlink.ts";

const row = (seconds: number, user = "U1@D", rest = "C1,C2,Kerberos,Network,LogOn,Success") =>
  `${seconds},${user},${user},${rest}`;
const GOOD = Array.from({ length: 50 }, (_, i) => row(1000 + i));

type Summary = {
  readonly consumed: number;
  readonly scored: number;
  readonly evidence: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly rejectedReasons: Record<string, number>;
};

type DeadLetter = {
  readonly offset: number;
  readonly reason: string;
  readonly detail: string;
  readonly bytes: Uint8Array;
};

/** Runs on a file of these bytes and says how it ended, with what, and what lies in the dead letters. */
async function runOn(
  t: TestContext,
  bytes: string | Uint8Array,
  name = "input.txt",
  more: readonly string[] = [],
) {
  const folder = temporaryFolder(t);
  const file = join(folder, name);
  const store = join(folder, "store.db");
  writeFileSync(file, bytes);
  const { code, stdout, stderr } = await run([
    "run",
    file,
    "--store",
    store,
    "--json",
    "--train",
    "off",
    ...more,
  ]);
  const database = new DatabaseSync(store, { readOnly: true });
  const deadLetters = database
    .prepare("SELECT * FROM dead_letters ORDER BY offset")
    .all() as unknown as DeadLetter[];
  database.close();
  const summary = JSON.parse(stdout) as Summary;
  const { consumed, scored, evidence, ignored, rejected, duplicate } = summary;
  assert.equal(
    consumed,
    scored + evidence + ignored + rejected + duplicate,
    "every record is in one of the five",
  );
  assert.equal(deadLetters.length, rejected, "every rejected record is a dead letter");
  return { code, stderr, summary, deadLetters };
}

test("an empty file is read to its end: nothing in it is no error", async (t) => {
  const { code, summary } = await runOn(t, "");
  assert.equal(code, 0);
  assert.equal(summary.consumed, 0);
});

test("a binary file ends the run with a clear error, its records dead-lettered", async (t) => {
  const bytes = Buffer.from(Array.from({ length: 40_000 }, (_, i) => (i * 7919 + (i >> 3)) & 0xff));
  const { code, stderr, summary } = await runOn(t, bytes, "program.bin");
  assert.equal(code, 1);
  assert.match(stderr, /could not be read.*--format/s);
  assert.equal(summary.scored, 0);
});

test("of a truncated gzip file all that can be unpacked is scored and kept, and the error says what to do", async (t) => {
  const rows = Array.from({ length: 20_000 }, (_, i) => row(1000 + i, `U${(i * 7919) % 997}@D`));
  const whole = gzipSync(rows.join("\n"));
  const first = await runOn(t, whole.subarray(0, whole.length >> 1), "auth.txt.gz");
  assert.equal(first.code, 1);
  assert.match(first.stderr, /ends in the middle of its gzip data/);
  assert.ok(first.summary.scored > 1000);
  const again = await runOn(t, whole.subarray(0, whole.length >> 1), "auth.txt.gz");
  assert.deepEqual(
    again.summary.scored,
    first.summary.scored,
    "the same file gives the same records each time",
  );
});

test("damaged gzip data ends the run with a clear error", async (t) => {
  const bytes = gzipSync(GOOD.join("\n"));
  bytes.fill(0x55, 20, 60);
  const { code, stderr } = await runOn(t, bytes, "auth.txt.gz");
  assert.equal(code, 1);
  assert.match(stderr, /damaged gzip data/);
});

test("a row of 10 MB is dead-lettered with its beginning, and its neighbours are scored", async (t) => {
  const { code, summary, deadLetters } = await runOn(
    t,
    [...GOOD, row(1060, "x".repeat(10_000_000)), ...GOOD, row(1061)].join("\n"),
  );
  assert.equal(code, 0);
  assert.equal(summary.scored, 101);
  assert.deepEqual(
    deadLetters.map(({ offset, reason }) => [offset, reason]),
    [[50, "record-too-long"]],
  );
  assert.equal(deadLetters[0]!.bytes.length, 1 << 20);
});

test("rows with a wrong number of columns are dead-lettered, bytes untouched", async (t) => {
  const bad = ["1,2,3", `${row(1001)},more`];
  const { code, deadLetters } = await runOn(t, [...GOOD, ...bad, ""].join("\r\n"));
  assert.equal(code, 0);
  assert.deepEqual(
    deadLetters.map(({ reason, bytes }) => [reason, Buffer.from(bytes).toString()]),
    bad.map((line) => ["wrong-column-count", line]),
  );
});

test("time going backwards is scored like any other", async (t) => {
  const { code, summary } = await runOn(t, GOOD.toReversed().join("\n"));
  assert.equal(code, 0);
  assert.equal(summary.scored, GOOD.length);
});

test("a time in the year 3000 is dead-lettered and does not move the window", async (t) => {
  const year3000 = Math.floor(Date.UTC(3000, 0) / 1000);
  const { code, summary, deadLetters } = await runOn(
    t,
    [row(year3000), ...GOOD, row(year3000), row(1060)].join("\n"),
  );
  assert.equal(code, 0);
  assert.equal(summary.scored, 51);
  assert.deepEqual(
    deadLetters.map(({ reason }) => reason),
    ["future-time", "future-time"],
  );
});

test("__proto__ and constructor are user names like any other", async (t) => {
  const { code, summary } = await runOn(
    t,
    [...GOOD, row(1060, "__proto__"), row(1061, "constructor")].join("\n"),
  );
  assert.equal(code, 0);
  assert.equal(summary.scored, 52);
});

test("invalid UTF-8 is dead-lettered, bytes untouched, and its neighbours are scored", async (t) => {
  const bad = Buffer.concat([
    Buffer.from("1060,U"),
    Buffer.from([0xff, 0xfe]),
    Buffer.from(row(1060).slice(6)),
  ]);
  const { code, summary, deadLetters } = await runOn(
    t,
    Buffer.concat([Buffer.from(`${GOOD.join("\n")}\n`), bad, Buffer.from(`\n${row(1061)}\n`)]),
  );
  assert.equal(code, 0);
  assert.equal(summary.scored, 51);
  assert.deepEqual(
    deadLetters.map(({ reason, bytes }) => [reason, Buffer.from(bytes)]),
    [["invalid-utf8", bad]],
  );
});

test("a share of bad rows above the configured one ends the run, and what was read is kept", async (t) => {
  const rows = Array.from({ length: 3000 }, (_, i) => (i % 4 === 0 ? "rubbish" : row(1000 + i)));
  const { code, stderr, summary } = await runOn(t, `${rows.join("\n")}\n`);
  assert.equal(code, 1);
  assert.match(stderr, /750 of 3000 records could not be read.*rejectedShareMax/s);
  assert.equal(summary.scored, 2250);
});

test("repeated event ids are duplicates", async (t) => {
  const login = (uid: string) =>
    JSON.stringify({ uid, timeMs: 5000, user: "ann", sourceHost: "pc", targetHost: "db" });
  const { summary } = await runOn(t, [login("a"), login("b"), login("a")].join("\n"), "logins.jsonl");
  assert.equal(summary.scored, 2);
  assert.equal(summary.duplicate, 1);
});

test("a gap longer than a jump costs some records, not all that follow", async (t) => {
  const login = (timeMs: number) =>
    JSON.stringify({ timeMs, user: "ann", sourceHost: "pc1", targetHost: "db1" });
  const early = Array.from({ length: 50 }, (_, i) => login(1_600_000_000_000 + i * 60_000));
  const late = Array.from({ length: 50 }, (_, i) => login(1_700_000_000_000 + i * 60_000));
  const { code, summary } = await runOn(t, `${[...early, ...late].join("\n")}\n`);
  assert.equal(code, 0);
  assert.equal(summary.scored, 81);
  assert.deepEqual(summary.rejectedReasons, { "future-time": 19 });
});

test("an empty event id is none, and no duplicate", async (t) => {
  const login = (user: string) =>
    JSON.stringify({ timeMs: 1_600_000_000_000, user, targetHost: "db1", uid: "" });
  const { summary } = await runOn(t, `${["ann", "bob", "cat"].map(login).join("\n")}\n`);
  assert.equal(summary.scored, 3);
});

test("a byte order mark costs no record", async (t) => {
  const row = "1,U1@D,U1@D,C1,C2,Kerberos,Network,LogOn,Success";
  const { summary } = await runOn(t, `\ufeff${row}\n${row}\n`);
  assert.equal(summary.scored, 2);
});
