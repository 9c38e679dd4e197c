import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { mappedFormat } from "../../src/ingest/formats/mapped.ts";
import { mappingSchema } from "../../src/ingest/formats/mapping.ts";
import { gunzip } from "../../src/ingest/gunzip.ts";
import { splitLines } from "../../src/ingest/line-splitter.ts";
import { NAME_BYTES_MAX } from "../../src/ingest/login.ts";
import { hostOf } from "../../src/ingest/names.ts";
import { LookAside } from "../../src/ingest/resolution/look-aside.ts";
import { TEXT_FORMATS } from "../ingest/fuzzing.ts";
import { FORMAT_OPTIONS, sampleRecords } from "../ingest/samples.ts";

const MIB = 1 << 20;
/** Far above what a record of a megabyte takes, and far below what something quadratic would. */
const RECORD_MS_MAX = 10_000;
const DEPTH = 90_000;

const DEEP_LIST = `${"[".repeat(DEPTH)}${"]".repeat(DEPTH)}`;
const DEEP_OBJECT = `${'{"a":'.repeat(DEPTH / 3)}1${"}".repeat(DEPTH / 3)}`;

/** The first record of each kind of sample that is JSON. */
const JSON_RECORDS: readonly string[] = readdirSync(join(import.meta.dirname, "..", "ingest", "samples"))
  .filter((file) => file.endsWith(".jsonl.gz"))
  .map((file) => sampleRecords(file.slice(0, -3))[0]!.toString());

function decoded(format: string, text: string) {
  const bytes = Buffer.from(text);
  const startedMs = performance.now();
  const result = createDecoder(format, FORMAT_OPTIONS).decode(bytes, 0, bytes.length);
  const tookMs = performance.now() - startedMs;
  assert.ok(tookMs < RECORD_MS_MAX, `${format}: ${Math.round(tookMs)} ms for ${text.slice(0, 60)}`);
  return result;
}

/** The places of values in a text of JSON: behind colons that end a key. */
function valuePlaces(text: string): { readonly start: number; readonly end: number }[] {
  return [...text.matchAll(/":\s?("(?:[^"\\]|\\.)*"|[\d.]+|true|false|null)/g)].map((match) => {
    const end = match.index + match[0].length;
    return { start: end - match[1]!.length, end };
  });
}

test("nesting without end, wherever it is, is an answer and no overflow of the stack", () => {
  for (const format of TEXT_FORMATS) {
    for (const deep of [DEEP_LIST, DEEP_OBJECT]) {
      decoded(format, deep);
      decoded(format, `{"x":${deep}}`);
    }
  }
  for (const record of JSON_RECORDS) {
    const places = valuePlaces(record);
    // All would take minutes: every place of short records, some of long ones.
    const step = Math.max(1, Math.ceil(places.length / 25));
    for (let i = 0; i < places.length; i += step) {
      const { start, end } = places[i]!;
      decoded("auto", `${record.slice(0, start)}${DEEP_LIST}${record.slice(end)}`);
    }
  }
});

test("a text of a megabyte in any field takes no longer than one", () => {
  const texts = [
    `${"%".repeat(MIB / 2)}\\n%`,
    "\\\\".repeat(MIB / 2),
    "@".repeat(MIB),
    `a${" ".repeat(MIB)}a`,
    "1.".repeat(MIB / 2),
  ];
  for (const record of JSON_RECORDS) {
    const places = valuePlaces(record);
    const step = Math.max(1, Math.ceil(places.length / 12));
    for (let i = 0; i < places.length; i += step) {
      const { start, end } = places[i]!;
      for (const text of texts) decoded("auto", `${record.slice(0, start)}"${text}"${record.slice(end)}`);
    }
  }
  for (const format of TEXT_FORMATS) for (const text of texts) decoded(format, text.replaceAll("\\n", "\n"));
});

test("the zone of an address is cut off in one pass, line breaks in it or not", () => {
  const startedMs = performance.now();
  assert.equal(hostOf(`pc7${"%".repeat(MIB)}\n%`), "pc7");
  assert.ok(performance.now() - startedMs < RECORD_MS_MAX);
});

test("keys that objects are made with are keys like any other, and change no object", () => {
  const before = Object.getOwnPropertyNames(Object.prototype).length;
  const hostile =
    '"__proto__":{"polluted":1,"user":"evil","timeMs":1},"constructor":{"prototype":{"polluted":1}},"toString":1,"hasOwnProperty":0,"__proto__":[]';
  for (const format of TEXT_FORMATS) decoded(format, `{${hostile}}`);
  for (const record of JSON_RECORDS) {
    const place = record.indexOf("{") + 1;
    decoded("auto", `${record.slice(0, place)}${hostile},${record.slice(place)}`);
  }
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.equal(Object.getOwnPropertyNames(Object.prototype).length, before);
});

test("a mapping whose paths and values name what objects are made with finds nothing there", () => {
  const mapping = mappingSchema.parse(
    JSON.parse(
      '{"name":"own","where":[{"path":"kind","is":["x"]}],"fields":{"time":"at","user":"__proto__.user","targetHost":{"path":"constructor.name","values":{"__proto__":"evil","a":"b"},"otherwise":"none"},"sourceHost":"toString.name","authType":"__proto__.__proto__.x"}}',
    ),
  );
  const bytes = Buffer.from('{"kind":"x","at":"2026-01-01T00:00:00Z"}');
  const result = mappedFormat(mapping).createDecoder(FORMAT_OPTIONS).decode(bytes, 0, bytes.length);
  assert.equal(result.kind, "rejected");
  assert.equal(result.kind === "rejected" && result.reason, "no-user");
});

test("an event id that is longer than a name is refused: it would be remembered", () => {
  const okta = (uuid: string): string =>
    JSON.stringify({
      uuid,
      published: "2026-01-01T00:00:00Z",
      eventType: "user.session.start",
      actor: { alternateId: "ann@example.com", type: "User" },
      outcome: { result: "SUCCESS" },
      client: { ipAddress: "192.0.2.1" },
      target: [],
    });
  assert.equal(decoded("okta", okta("x".repeat(NAME_BYTES_MAX))).kind, "login");
  const long = decoded("okta", okta("x".repeat(NAME_BYTES_MAX + 1)));
  assert.equal(long.kind === "rejected" && long.reason, "name-too-long");
});

test("a table takes no name that no login can have", () => {
  const table = new LookAside(10);
  table.set("x".repeat(MIB), "pc7");
  table.set("10.0.0.1", "x".repeat(NAME_BYTES_MAX + 1));
  table.set("__proto__", "pc8");
  assert.deepEqual([table.counts.entries, table.counts.unusable], [1, 2]);
  assert.equal(table.find("__proto__")?.toString(), "pc8");
  assert.equal(table.find("constructor"), undefined);
});

test("a gzip file of zeros without end is one record that is too long, in bounded memory", async () => {
  const bomb = gzipSync(Buffer.alloc(256 * MIB), { level: 9 });
  const before = process.memoryUsage().rss;
  let peak = before;
  async function* chunks() {
    for (let at = 0; at < bomb.length; at += 65_536) yield bomb.subarray(at, at + 65_536);
  }
  const cut: number[] = [];
  for await (const lines of splitLines(gunzip(chunks(), "bomb.gz"), { lineBytesMax: MIB, linesMax: 100 })) {
    for (let i = 0; i < lines.count; i++) cut.push(lines.cutFrom[i]!);
    peak = Math.max(peak, process.memoryUsage().rss);
  }
  assert.deepEqual(cut, [256 * MIB]);
  assert.ok(peak - before < 200 * MIB, `${Math.round((peak - before) / MIB)} MiB more`);
});
