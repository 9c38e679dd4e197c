import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createDecoder } from "../../../src/ingest/formats/index.ts";
import { LookAside } from "../../../src/ingest/resolution/look-aside.ts";
import { resolving, type Tables } from "../../../src/ingest/resolution/resolution.ts";
import { readTable } from "../../../src/ingest/resolution/table-file.ts";
import { run, temporaryFolder } from "../../processes/oddlink.ts";
import { FORMAT_OPTIONS, sampleRecords, textOfDecoded } from "../samples.ts";

function tableOf(entries: Readonly<Record<string, string>>): LookAside {
  const table = new LookAside(100);
  for (const [from, to] of Object.entries(entries)) table.set(from, to);
  return table;
}

function decoded(record: unknown, tables: Tables): Record<string, string> {
  const bytes = Buffer.from(JSON.stringify(record));
  const decoder = resolving(createDecoder("oddlink", FORMAT_OPTIONS), tables);
  return JSON.parse(textOfDecoded(decoder.decode(bytes, 0, bytes.length)).replace(/^\w+ /, ""));
}

const LOGIN = { timeMs: 1, user: "ann", targetUser: "root", sourceHost: "10.0.0.7", targetHost: "db" };

test("hosts and users have the names that tables give, each column by itself; all else stays", () => {
  const tables = {
    hosts: tableOf({ "10.0.0.7": "pc7", db: "database-1" }),
    users: tableOf({ ann: "ann@corp" }),
  };
  const { user, targetUser, sourceHost, targetHost, outcome } = decoded(LOGIN, tables);
  assert.deepEqual(
    { user, targetUser, sourceHost, targetHost, outcome },
    {
      user: "ann@corp",
      targetUser: "root",
      sourceHost: "pc7",
      targetHost: "database-1",
      outcome: "unknown",
    },
  );
  // A table of hosts knows no users, and the other way round.
  assert.equal(decoded(LOGIN, { hosts: tableOf({ ann: "x" }) })["user"], "ann");
  assert.equal(decoded(LOGIN, { users: tableOf({ db: "x" }) })["targetHost"], "db");
});

test("records that are no logins pass as they are", () => {
  const decoder = resolving(createDecoder("auto", FORMAT_OPTIONS), { hosts: tableOf({ a: "b" }) });
  const bare = createDecoder("auto", FORMAT_OPTIONS);
  for (const record of [...sampleRecords("otrf-zeek.jsonl"), Buffer.from("nonsense")]) {
    const expected = textOfDecoded(bare.decode(record, 0, record.length));
    assert.equal(textOfDecoded(decoder.decode(record, 0, record.length)), expected);
  }
});

test("a table is read from CSV, plain or gzip, with its columns anywhere; what is no table is an error that names the line", async (t) => {
  const folder = temporaryFolder(t);
  const file = (name: string, text: string | Buffer): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  for (const path of [
    file("a.csv", "site,From,to\nx,10.0.0.7,pc7\ny,10.0.0.8\nz\n"),
    file("b.csv.gz", gzipSync("to,from\r\npc7,10.0.0.7\r\n")),
  ]) {
    const table = new LookAside(10);
    await readTable(path, table);
    assert.equal(String(table.find("10.0.0.7")), "pc7");
  }
  for (const [path, expected] of [
    [file("c.csv", "ip,host\n1,2\n"), /c\.csv: line 1: expected a header with the columns from and to/],
    [file("d.csv", ""), /d\.csv: it is empty/],
    [file("e.csv", `from,to\n"${"x".repeat(10_000)}`), /e\.csv: /],
    [join(folder, "none.csv"), /none\.csv: ENOENT/],
  ] as const)
    await assert.rejects(readTable(path, new LookAside(10)), {
      code: "CONFIG_INVALID",
      message: expected,
    });
});

test("a run resolves names, and says how many it found", async (t) => {
  const folder = temporaryFolder(t);
  writeFileSync(join(folder, "hosts.csv"), "from,to\n10.0.0.7,pc7\n");
  const env = { ODDLINK_INPUT_RESOLUTION_HOSTS_FILE: join(folder, "hosts.csv") };
  const scored = join(folder, "scored.jsonl");
  const input = `${JSON.stringify(LOGIN)}\n`;
  const { code, stdout, stderr } = await run(["run", "-", "--scored", scored], { env, input });
  assert.equal(code, 0, stderr);
  assert.match(stdout, /Table of hosts: 1 of 2 names found \(50 %\) among 1 entries\./);
  const explained = await run(["ingest", "--explain", "-"], { env, input });
  assert.match(explained.stdout, /source host +pc7 /);
  const json = JSON.parse((await run(["run", "-", "--json"], { env, input })).stdout);
  assert.deepEqual(json.resolution.hosts, { entries: 1, lookups: 2, hits: 1, evicted: 0, unusable: 0 });
  const topic = { ODDLINK_INPUT_RESOLUTION_HOSTS_TOPIC: "hosts" };
  const refused = await run(["run", "-"], { env: topic, input });
  assert.equal(refused.code, 2);
  assert.match(refused.stderr, /input\.resolution\.hosts\.topic is followed by what reads Kafka/);
});
