import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder, FORMATS } from "../../src/ingest/formats/index.ts";
import { FORMAT_OPTIONS, sampleRecords, textOfDecoded } from "./samples.ts";

const STRANGE = [
  { ts: 1, user: "x" },
  { id: "e9", when: "2026-11-20T10:00:00Z", who: "ann@contoso.com", state: { errorCode: 0 } },
  { product: "other", event: { action: "connect" } },
];
const BEFORE = [
  "otrf-windows.jsonl",
  "panther-entra.jsonl",
  "panther-okta.jsonl",
  "duo-administrator.jsonl",
  "cloudtrail.jsonl",
  "ecs-by-hand.jsonl",
  "otrf-zeek.jsonl",
  "elastic-sshd.log",
];

test("JSON that no format recognises is rejected as that, whatever stood before it", () => {
  for (const sample of BEFORE) {
    const decoder = createDecoder("auto", FORMAT_OPTIONS);
    const [first] = sampleRecords(sample);
    decoder.decode(first!, 0, first!.length);
    for (const record of STRANGE) {
      const bytes = Buffer.from(JSON.stringify(record));
      assert.ok(FORMATS.every((format) => !format.recognises(bytes, 0, bytes.length)));
      const text = textOfDecoded(decoder.decode(bytes, 0, bytes.length));
      assert.match(
        text,
        /^rejected unknown-format: JSON of no known format: name one with --format/,
        `after ${sample}`,
      );
    }
  }
});

test("JSON that is broken says so, among readable records and alone", () => {
  for (const before of [undefined, ...BEFORE]) {
    const decoder = createDecoder("auto", FORMAT_OPTIONS);
    const first = before === undefined ? undefined : sampleRecords(before)[0]!;
    if (first !== undefined) decoder.decode(first, 0, first.length);
    const bytes = Buffer.from('{"a":');
    assert.match(textOfDecoded(decoder.decode(bytes, 0, bytes.length)), /^rejected invalid-json/);
  }
});
