import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import type { Decoded } from "../../src/ingest/decoded.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";

const SAMPLES = join(import.meta.dirname, "samples");
const GOLDEN = join(import.meta.dirname, "golden");
/** Set to write golden files anew: look at what changed before it is committed. */
const REWRITES = process.env["REWRITE_GOLDEN"] === "1";
/** What formats go by whose records do not say it; the sample of syslog is of 2017. */
export const FORMAT_OPTIONS = { lanlStartMs: 0, syslogYear: 2017 } as const;

/** The records of a sample, one a line. */
export function sampleRecords(name: string): Buffer[] {
  return gunzipSync(readFileSync(join(SAMPLES, `${name}.gz`)))
    .toString()
    .split("\n")
    .filter((line) => line !== "")
    .map((line) => Buffer.from(line));
}

/** What a decoder made of a record, as text. */
export function textOfDecoded(decoded: Decoded): string {
  if (decoded.kind === "ignored") return `ignored ${decoded.reason}`;
  if (decoded.kind === "rejected") return `rejected ${decoded.reason}: ${decoded.detail}`;
  return `${decoded.kind} ${JSON.stringify(decoded.login.toLogin())}`;
}

/** Decodes a sample by the format of that name, and by `auto`, which must not differ. @returns a line for each record */
export function decodeSample(name: string, format: string): string[] {
  const records = sampleRecords(name);
  const [named, auto] = [format, "auto"].map((one) => {
    const decoder = createDecoder(one, FORMAT_OPTIONS);
    return records.map((record) => textOfDecoded(decoder.decode(record, 0, record.length)));
  });
  assert.deepEqual(auto, named, "auto takes the records for another format");
  return named!;
}

/** Holds lines against the golden file of that name. */
export function assertGolden(name: string, lines: readonly string[]): void {
  const path = join(GOLDEN, `${name}.txt`);
  const text = `${lines.join("\n")}\n`;
  if (REWRITES) writeFileSync(path, text);
  assert.ok(existsSync(path), `${path} is missing: REWRITE_GOLDEN=1 writes it`);
  assert.equal(text, readFileSync(path, "utf8"));
}

/** How many records became what: logins and evidence in all, the others by reason. */
export function countsOf(lines: readonly string[]): Readonly<Record<string, number>> {
  const counts: Record<string, number> = {};
  for (const line of lines) {
    const [kind, reason] = line.split(/[ :]/);
    const key = kind === "login" || kind === "evidence" ? kind : `${kind} ${reason}`;
    counts[key] = (counts[key] ?? 0) + 1;
  }
  return counts;
}
