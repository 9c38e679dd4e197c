import assert from "node:assert/strict";
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { type TestContext, test } from "node:test";
import { OddlinkError } from "../../../src/errors.ts";
import { expectSettings } from "../../../src/log/embedded/settings.ts";
import { Store } from "../../../src/log/embedded/store.ts";
import type { Commit } from "../../../src/log/port.ts";

const PAGE_BYTES = 4096;

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

function commitOf(number: number): Commit {
  const line = `{"text":"${"x".repeat(1000)}"}`;
  return {
    partition: 0,
    position: { offset: number + 1, bytes: 10 },
    alerts: [
      {
        ...{ uid: `u${number}`, incidentUid: "i", timeMs: 5, signal: "surprise", score: 0.1 },
        ...{ partition: 0, offset: number, finding: line },
      },
    ],
    scoredLogins: [{ offset: number, user: "ann", line }],
    deadLetters: [],
    graphState: [{ key: `k${number}`, value: new Uint8Array(3000).fill(number) }],
    epochs: [],
    totals: `{"consumed":${number}}`,
  };
}

/** Everything that a run does with a store. */
function use(path: string): void {
  const store = new Store(path, false);
  try {
    store.meta("totals");
    store.inputs();
    for (const _ of store.values("graph-state"));
    for (const _ of store.findings());
    store.commit(commitOf(99), { note: "1" });
  } finally {
    store.close();
  }
}

test("whichever page of a store is damaged, the error says which file it is and what to do", (t) => {
  const folder = folderOf(t);
  const path = join(folder, "store.db");
  const store = new Store(path, false);
  store.addInput({ partition: 0, topic: "auth.txt", start: Buffer.from("1,") });
  for (let i = 0; i < 20; i++) store.commit(commitOf(i), {});
  store.close();
  const pages = readFileSync(path).length / PAGE_BYTES;
  let found = 0;
  for (let page = 0; page < pages; page++) {
    const damaged = join(folder, `${page}.db`);
    const bytes = readFileSync(path);
    bytes.fill(0xa5, page * PAGE_BYTES, (page + 1) * PAGE_BYTES);
    writeFileSync(damaged, bytes);
    try {
      // Damage in what is only carried, such as a finding's text, does not show.
      use(damaged);
    } catch (error) {
      assert.ok(error instanceof OddlinkError, String(error));
      assert.equal(error.code, "STORE_UNREADABLE");
      assert.ok(error.message.includes(damaged), error.message);
      assert.match(error.message, /another --store|--store a file of its own/);
      found++;
    }
  }
  assert.ok(found >= 10, `${found} of ${pages} damaged pages were found`);
});

test("another program's database is refused and left as it is", (t) => {
  const path = join(folderOf(t), "other.db");
  const other = new DatabaseSync(path);
  other.exec("CREATE TABLE meta (id INTEGER, note TEXT); INSERT INTO meta VALUES (1, 'mine')");
  other.close();
  const before = readFileSync(path);
  assert.throws(() => new Store(path, false), { code: "STORE_MISMATCH", message: /another program's/ });
  assert.ok(readFileSync(path).equals(before));
});

test("a file that is no database is refused and left as it is", (t) => {
  const path = join(folderOf(t), "auth.txt");
  writeFileSync(path, "1,U1@D,U1@D,C1,C2,Kerberos,Network,LogOn,Success\n".repeat(100));
  const before = readFileSync(path);
  assert.throws(() => new Store(path, false), { code: "STORE_UNREADABLE", message: /no oddlink store/ });
  assert.ok(readFileSync(path).equals(before));
});

test("a store says in its header that it is oddlink's, and an empty file becomes one", (t) => {
  const path = join(folderOf(t), "store.db");
  writeFileSync(path, "");
  new Store(path, false).close();
  assert.equal(readFileSync(path).readUInt32BE(68), 0x6f64646c);
  new Store(path, false).close();
});

test("one process at a time has a store", (t) => {
  const path = join(folderOf(t), "store.db");
  const store = new Store(path, false);
  assert.throws(() => new Store(path, false), { code: "STORE_BUSY", message: /another process/ });
  store.close();
});

test("a bug while a commit is written is no store trouble", (t) => {
  const store = new Store(join(folderOf(t), "store.db"), false);
  const bug = new TypeError("no such thing");
  const graphState = (function* () {
    yield { key: "k", value: new Uint8Array(1) };
    throw bug;
  })();
  assert.throws(() => store.commit({ ...commitOf(0), graphState }, {}), bug);
  assert.deepEqual([...store.values("graph-state")], [], "nothing of it was kept");
  store.close();
});

test("settings that differ are named by their whole path, with the value before and now", (t) => {
  const store = new Store(join(folderOf(t), "store.db"), false);
  expectSettings(store, '{"seed":1,"window":{"days":30,"maxJumpDays":30},"links":[{"from":"user"}]}');
  expectSettings(store, '{"links":[{"from":"user"}],"window":{"days":30},"seed":1}');
  assert.throws(
    () => expectSettings(store, '{"seed":1,"window":{"days":14},"links":[],"detector":"link"}'),
    (error: Error) => {
      assert.deepEqual(error.message.split("\n").slice(1), [
        "  window.days: 30 in the store, 14 now",
        '  links: [{"from":"user"}] in the store, [] now',
        '  detector: not set in the store, "link" now',
      ]);
      return true;
    },
  );
  store.close();
});

test("a store of before there were application ids is told from a stranger by its tables", (t) => {
  const folder = folderOf(t);
  const path = join(folder, "store.db");
  new Store(path, false).close();
  const old = join(folder, "old.db");
  copyFileSync(path, old);
  const database = new DatabaseSync(old);
  database.exec("PRAGMA application_id = 0; UPDATE meta SET value = '1' WHERE key = 'schemaVersion'");
  database.close();
  assert.throws(() => new Store(old, false), { code: "STORE_MISMATCH", message: /store version 1/ });
});

test("a store of before there was a shadow is given its table", (t) => {
  const path = join(folderOf(t), "store.db");
  new Store(path, false).close();
  const database = new DatabaseSync(path);
  database.exec("DROP TABLE alerts_shadow");
  database.close();
  const store = new Store(path, false);
  assert.deepEqual([...store.findings(0, "alerts_shadow")], []);
  store.close();
});

test("a store tells its incidents, the oddest first, their findings, and when alerts were", (t) => {
  const store = new Store(join(folderOf(t), "store.db"), false);
  t.after(() => store.close());
  assert.equal(store.alertSpan(), undefined);
  const alerts = [
    { incidentUid: "a", timeMs: 100, signal: "link", score: 0.1 },
    { incidentUid: "b", timeMs: 1100, signal: "link", score: 0.001 },
    { incidentUid: "b", timeMs: 900, signal: "link", score: 0.01 },
    { incidentUid: "c", timeMs: 2500, signal: "presence", score: 0.001 },
  ].map((alert, i) => ({ ...alert, uid: `u${i}`, partition: 0, offset: i, finding: `f${i}` }));
  store.commit({ ...commitOf(0), alerts }, {});
  assert.deepEqual(
    store.incidents(2).map((incident) => ({ ...incident })),
    [
      { uid: "b", alerts: 2, firstMs: 900, lastMs: 1100 },
      { uid: "c", alerts: 1, firstMs: 2500, lastMs: 2500 },
    ],
  );
  assert.equal(store.countIncidents(), 3);
  assert.deepEqual(store.findingsOf("b", 10), ["f1", "f2"]);
  assert.deepEqual(store.findingsOf("b", 1), ["f1"]);
  assert.deepEqual(store.alertSpan(), [100, 2500]);
  assert.deepEqual(store.alertSlots(1000), [
    { startMs: 0, signal: "link", alerts: 2 },
    { startMs: 1000, signal: "link", alerts: 1 },
    { startMs: 2000, signal: "presence", alerts: 1 },
  ]);
});
