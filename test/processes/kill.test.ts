import assert from "node:assert/strict";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { EXAMPLE, ended, type Finished, run, start, temporaryFolder } from "./oddlink.ts";

const KILLS = 20;
/** Small models: what is tested is that nothing is lost, and training takes its share of the moments. */
const SETTINGS = {
  ODDLINK_TRAINING_DIMENSIONS: "8",
  ODDLINK_TRAINING_STEPS: "10",
  ODDLINK_ALERTSPERDAY: "50",
  ODDLINK_OUTPUTS_SCOREDLOGINS: "true",
};

type Row = Record<string, unknown>;

function tables(store: string): Record<string, Row[]> {
  const database = new DatabaseSync(store, { readOnly: true });
  try {
    const read = (sql: string): Row[] => database.prepare(sql).all() as Row[];
    return {
      alerts: read("SELECT * FROM alerts ORDER BY seq"),
      scored: read("SELECT * FROM scored_logins ORDER BY seq"),
      deadLetters: read("SELECT partition, offset, reason FROM dead_letters ORDER BY partition, offset"),
      epochs: read("SELECT key, hex(value) FROM epochs ORDER BY key"),
      inputs: read("SELECT * FROM inputs ORDER BY partition"),
    };
  } finally {
    database.close();
  }
}

/** The example three times over, each copy two days later: some commits more, and links that age. */
function writeInput(file: string): void {
  const rows = gunzipSync(readFileSync(join(EXAMPLE, "auth.txt.gz")))
    .toString()
    .trimEnd()
    .split("\n");
  const copies = [0, 1, 2].map((copy) =>
    rows.map((row) => {
      const comma = row.indexOf(",");
      return `${Number(row.slice(0, comma)) + copy * 172_800}${row.slice(comma)}`;
    }),
  );
  // A row that can't be read, so that dead letters take part.
  writeFileSync(file, `${copies.flat().join("\n")}\nno login at all\n`);
}

test("killed at twenty random moments and run again, everything is as if it had run through", {
  timeout: 600_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const input = join(folder, "auth.txt");
  writeInput(input);
  const args = (name: string) => [
    ...["run", input, "--json", "--store", join(folder, `${name}.db`)],
    ...["--alerts", join(folder, `${name}.jsonl`), "--scored", join(folder, `${name}.scored.jsonl`)],
  ];
  const startedMs = performance.now();
  const through = await run(args("through"), { env: SETTINGS });
  const throughMs = performance.now() - startedMs;
  assert.equal(through.code, 0, through.stderr);
  const expected = JSON.parse(through.stdout) as Row;
  assert.ok((expected["alerts"] as number) > 10 && (expected["epochs"] as number) >= 2);
  const expectedTables = tables(join(folder, "through.db"));

  let kills = 0;
  let killsMidway = 0;
  // On a machine that got less busy meanwhile many runs end before they are killed.
  for (let round = 0; kills < KILLS && round < 3 * KILLS; round++) {
    // Each round begins with an empty store and is killed again and again until it gets through.
    const name = `killed${round}`;
    let finished: Finished | undefined;
    for (let attempt = 0; finished === undefined && attempt < 3 * KILLS; attempt++) {
      if (kills >= KILLS) {
        finished = await run(args(name), { env: SETTINGS });
        break;
      }
      const child = start(args(name), { env: SETTINGS });
      const output: Buffer[] = [];
      child.stdout!.on("data", (chunk: Buffer) => output.push(chunk));
      child.stderr!.resume();
      child.stdin!.end();
      const end = ended(child);
      await Promise.race([sleep(100 + Math.random() * throughMs), end]);
      const isKilled = child.exitCode === null && child.kill("SIGKILL");
      const code = await end;
      if (isKilled && code === null) {
        kills++;
        const offset = committedOffset(join(folder, `${name}.db`));
        if (offset > 0 && offset < (expected["consumed"] as number)) killsMidway++;
      } else {
        assert.equal(code, 0);
        finished = { code, stdout: Buffer.concat(output).toString(), stderr: "" };
      }
    }
    assert.equal(finished?.code, 0, finished?.stderr);
    assert.deepEqual(tables(join(folder, `${name}.db`)), expectedTables);
    for (const file of ["jsonl", "scored.jsonl"]) {
      const killed = readFileSync(join(folder, `${name}.${file}`));
      assert.ok(killed.equals(readFileSync(join(folder, `through.${file}`))), `${file} differs`);
    }
    const actual = JSON.parse(finished!.stdout) as Row;
    for (const key of [
      "consumed",
      "scored",
      "evidence",
      "ignored",
      "rejected",
      "alerts",
      "incidents",
      "epochs",
      "graph",
    ]) {
      assert.deepEqual(actual[key], expected[key], key);
    }
  }
  assert.equal(kills, KILLS);
  t.diagnostic(`${killsMidway} of ${kills} kills fell between two commits of an unfinished input`);
  assert.ok(killsMidway > 0, "no kill hit a run midway: the test proves nothing");
});

function committedOffset(store: string): number {
  if (!existsSync(store)) return 0;
  try {
    const inputs = tables(store)["inputs"]!;
    return Number(inputs[0]?.["offset"] ?? 0);
  } catch {
    // Killed before the tables were made.
    return 0;
  }
}
