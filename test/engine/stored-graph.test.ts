import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { toRecord } from "../../src/engine/segment-merging.ts";
import { SEGMENT_BYTES_MAX } from "../../src/engine/shared-graph.ts";
import { segmentGroup, toSegment, toStored } from "../../src/engine/stored-segments.ts";
import { chooseSegments } from "../../src/graph-state/coverage.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { NAME_BYTES_MAX } from "../../src/ingest/login.ts";
import { addLogin, login } from "../graph-state/logins.ts";
import { run, temporaryFolder } from "../processes/oddlink.ts";

/** Every name is new, and as long as names may be: more than one record may hold. */
const LOGINS = 4000;
const RECORD_BYTES_MAX = 1_000_000;

type Row = { readonly key: string; readonly value: Uint8Array };

function rowsOf(store: string): Row[] {
  const database = new DatabaseSync(store);
  try {
    return database.prepare("SELECT key, value FROM graph_state ORDER BY key").all() as unknown as Row[];
  } finally {
    database.close();
  }
}

function write(store: string, { key, value }: Row): void {
  const database = new DatabaseSync(store);
  try {
    database.prepare("UPDATE graph_state SET value = ? WHERE key = ?").run(value, key);
  } finally {
    database.close();
  }
}

test("what one batch adds is split where a record could not hold it, and its pieces count together or not at all", () => {
  const window = { days: 30, maxLinks: 1_000_000 };
  const graph = new Graph({ window });
  for (let i = 0; i < LOGINS; i++) {
    const name = (prefix: string) => `${prefix}${i}`.padEnd(NAME_BYTES_MAX, "x");
    addLogin(
      graph,
      login({ timeMs: i, user: name("user"), targetUser: name("target"), sourceHost: name("host") }),
    );
  }
  const range = { partition: 3, historyStart: 0, first: 0, next: LOGINS };
  const group = segmentGroup(3, 0);
  const parts = graph.takeDelta(SEGMENT_BYTES_MAX);
  assert.ok(parts.length > 3, `${parts.length} pieces`);
  const pieces = parts.map((part, piece) => {
    const segment = { group, piece, isLast: piece === parts.length - 1, ranges: [range], ...part };
    const { key, value } = toRecord(segment);
    assert.ok(value!.length < RECORD_BYTES_MAX, `${value!.length} bytes`);
    return toStored(key, value!);
  });
  const { chosen, coverage } = chooseSegments(pieces.toReversed());
  assert.equal(coverage.nextOf(3), LOGINS);
  const restored = new Graph({ window });
  for (const piece of chosen) restored.addPart(toSegment(piece));
  assert.equal(digestOf(restored), digestOf(graph));
  for (const lacking of pieces)
    assert.equal(chooseSegments(pieces.filter((piece) => piece !== lacking)).coverage.nextOf(3), undefined);
});

test("a name of the greatest length is known, a longer one is a dead letter", async (t) => {
  const file = join(temporaryFolder(t), "logins.jsonl");
  const rows = [NAME_BYTES_MAX, NAME_BYTES_MAX + 1].map((length) =>
    JSON.stringify({ timeMs: 1_600_000_000_000, user: "u".repeat(length), targetHost: "db" }),
  );
  writeFileSync(file, `${rows.join("\n")}\n`);
  const { scored, rejected } = JSON.parse((await run(["run", file, "--train", "off", "--json"])).stdout);
  assert.deepEqual({ scored, rejected }, { scored: 1, rejected: 1 });
});

test("a stored segment that is not as it was written ends the run, by name", async (t) => {
  const folder = temporaryFolder(t);
  const file = join(folder, "logins.jsonl");
  const store = join(folder, "store.db");
  const args = ["run", file, "--store", store, "--train", "off", "--json"];
  const rows = Array.from({ length: 500 }, (_, i) =>
    JSON.stringify({
      timeMs: 1_600_000_000_000 + i,
      user: `U${i % 9}`,
      sourceHost: `C${i % 9}`,
      targetHost: "db",
    }),
  );
  writeFileSync(file, `${rows.join("\n")}\n`);
  const { graph } = JSON.parse((await run(args)).stdout);
  const whole = rowsOf(store).at(-1)!;
  const flipped = Uint8Array.from(whole.value);
  flipped[flipped.length >> 1]! ^= 0x10;
  for (const [value, complaint] of [
    [flipped, /its bytes are not the ones that were written/],
    [whole.value.subarray(0, whole.value.length >> 1), /its bytes are not the ones that were written/],
    [new Uint8Array(0), /it has 0 bytes/],
  ] as const) {
    write(store, { key: whole.key, value });
    const { code, stdout, stderr } = await run(args);
    assert.equal(code, 1);
    assert.equal(stdout, "");
    assert.match(stderr, complaint);
    assert.ok(stderr.includes(`graph-state, partition 0, key ${whole.key}`), stderr);
    assert.match(stderr, /put the stored graph back as it was, or begin anew/);
  }
  write(store, whole);
  assert.deepEqual(JSON.parse((await run(args)).stdout).graph, graph);
});
