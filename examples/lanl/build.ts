/**
 * Puts the example together from published pieces of LANL's auth.txt: real rows only, in time order.
 *
 *   npx node examples/lanl/build.ts --data FOLDER [--out FOLDER]
 *
 * FOLDER of --data holds lanl2015-u748, lanl2015-safekit and lanl2015-random; --out is this folder unless given. Writes
 * auth.txt.gz and labels/redteam.txt, and prints what it counted as JSON. The same input gives the same bytes.
 */
import assert from "node:assert/strict";
import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gunzipSync, gzipSync } from "node:zlib";

/** Days 0 and 1: the account's stream is known for no longer. */
const END_SECONDS = 2 * 86_400;
const COLUMN_COUNT = 9;
/** The account's file has two columns more: the line number in the full auth.txt, and whether the red team did it. */
const ACCOUNT_HEADER =
  "time,src_user,dst_user,src_computer,dst_computer,auth_type,logon_type,orientation,success,auth_line_index,red";
const RED_COLUMN = 10;
/** Byte 9 of a gzip header names the operating system that wrote it; 3 is Unix. */
const GZIP_OS_BYTE = 9;
const GZIP_OS_UNIX = 3;

interface Row {
  readonly source: string;
  readonly seconds: number;
  readonly line: string;
}

const { values } = parseArgs({
  options: { data: { type: "string" }, out: { type: "string", default: import.meta.dirname } },
});
if (values.data === undefined) {
  process.stderr.write("usage: npx node examples/lanl/build.ts --data FOLDER [--out FOLDER]\n");
  process.exit(2);
}
build(values.data, values.out);

function build(data: string, out: string): void {
  const account = linesOf(join(data, "lanl2015-u748", "auth_U748_days0-1.csv.gz"));
  assert.equal(account.shift(), ACCOUNT_HEADER, "the account's file has other columns than expected");
  const safekit = ["auth_users_day0_head5000.txt.gz", "auth_users_day1_head5000.txt.gz"];
  const random = linesOf(join(data, "lanl2015-random", "auth_random15k_a.txt.gz"));
  // Sorting is stable, so rows of the same second keep this order of sources.
  const rows = [
    ...account.map((line) => rowOf("u748", columnsOf(line).slice(0, COLUMN_COUNT).join(","))),
    ...safekit.flatMap((file) =>
      linesOf(join(data, "lanl2015-safekit", file)).map((line) => rowOf("safekit", line)),
    ),
    ...random.map((line) => rowOf("random", line)).filter(({ seconds }) => seconds < END_SECONDS),
  ].sort((a, b) => a.seconds - b.seconds);
  const labels = account.map(columnsOf).filter((columns) => columns[RED_COLUMN] === "1");

  mkdirSync(join(out, "labels"), { recursive: true });
  writeFileSync(join(out, "auth.txt.gz"), gzip(textOf(rows.map(({ line }) => line))));
  writeFileSync(join(out, "labels", "redteam.txt"), textOf(labels.map(labelOf)));
  process.stdout.write(`${JSON.stringify(countsOf(rows, labels.length), null, 2)}\n`);
}

function linesOf(path: string): string[] {
  const lines = gunzipSync(readFileSync(path)).toString("utf8").split("\n");
  assert.equal(lines.pop(), "", `${path} ends in the middle of a line`);
  return lines;
}

function columnsOf(line: string): string[] {
  return line.split(",");
}

function rowOf(source: string, line: string): Row {
  const columns = columnsOf(line);
  assert.equal(columns.length, COLUMN_COUNT, `${source}: not ${COLUMN_COUNT} columns: ${line}`);
  assert.match(columns[0]!, /^\d+$/, `${source}: no time in seconds: ${line}`);
  return { source, seconds: Number(columns[0]), line };
}

/** LANL's own form of a label: time, user@domain, source computer, destination computer. */
function labelOf([time, user, , source, target]: string[]): string {
  return [time, user, source, target].join(",");
}

function textOf(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}

/** Node leaves the time of writing at 0; the operating system is the one header byte that depends on the machine. */
function gzip(text: string): Buffer {
  const bytes = gzipSync(text, { level: 9 });
  bytes[GZIP_OS_BYTE] = GZIP_OS_UNIX;
  return bytes;
}

function countsOf(rows: readonly Row[], labels: number): object {
  const kindOf = (line: string) => {
    const [, , , source, target, authType, logonType, orientation] = columnsOf(line);
    const where = orientation === "LogOn" ? (source === target ? " local" : " remote") : "";
    return `${orientation}${where} ${authType} ${logonType}`;
  };
  return {
    rows: rows.length,
    bySource: tally(rows.map(({ source }) => source)),
    byKind: tally(rows.map(({ line }) => kindOf(line))),
    byOutcome: tally(rows.map(({ line }) => columnsOf(line)[COLUMN_COUNT - 1]!)),
    users: new Set(rows.map(({ line }) => columnsOf(line)[1])).size,
    hosts: new Set(rows.flatMap(({ line }) => columnsOf(line).slice(3, 5))).size,
    labels,
    duplicatesWithinASource: rows.length - new Set(rows.map(({ source, line }) => `${source} ${line}`)).size,
    linesInSeveralSources: sharedLines(rows, (line) => line),
    // The account's stream hides destination user and outcome: the same event can stand in two sources unlike.
    eventsInSeveralSourcesIfHiddenColumnsAreIgnored: sharedLines(rows, (line) =>
      columnsOf(line)
        .filter((_, column) => column !== 2 && column !== COLUMN_COUNT - 1)
        .join(","),
    ),
  };
}

/** Distinct keys that occur in more than one source. */
function sharedLines(rows: readonly Row[], keyOf: (line: string) => string): number {
  const sources = new Map<string, Set<string>>();
  for (const { source, line } of rows) {
    const key = keyOf(line);
    sources.set(key, (sources.get(key) ?? new Set()).add(source));
  }
  return [...sources.values()].filter((names) => names.size > 1).length;
}

/** How often each word occurs, the most frequent first, equal ones by name. */
function tally(words: readonly string[]): Record<string, number> {
  const counts = new Map<string, number>();
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1);
  return Object.fromEntries([...counts].sort(([a, m], [b, n]) => n - m || (a < b ? -1 : 1)));
}
