import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { crc32 } from "node:zlib";
import avro from "avsc";
import { decodeSegment, encodeSegment } from "../../src/graph-state/segment.ts";

const HISTORY = join(import.meta.dirname, "..", "..", "schemas", "history", "segment");

/** What version 1 knew of a segment. */
const OLD = {
  group: "000000/0000000000000000",
  piece: 0,
  isLast: true,
  ranges: [{ partition: 0, historyStart: 0, first: 0, next: 5 }],
  watermarkMs: 1000,
  originMs: 500,
  names: [
    { kind: 0, name: Buffer.from("U1") },
    { kind: 1, name: Buffer.from("C1") },
  ],
  relations: [],
  links: [
    {
      kind: 0,
      relation: 0,
      from: 0,
      to: 1,
      count: 5,
      failures: 0,
      strong: 5,
      weak: 0,
      alerts: 0,
      firstMs: 500,
      spanMs: 500,
      minutes: 0,
      days: 1,
    },
  ],
  histograms: [],
  incidents: [],
};

/** A segment as a version wrote it. */
function written(version: number, segment: unknown): Buffer {
  const schema = readFileSync(join(HISTORY, `${version}.avsc`), "utf8");
  const body = avro.Type.forSchema(JSON.parse(schema)).toBuffer(segment);
  const prefix = Buffer.alloc(5);
  prefix[0] = version;
  prefix.writeUInt32BE(crc32(body), 1);
  return Buffer.concat([prefix, body]);
}

test("a segment that version 1 wrote is read: nothing of it was a ticket request, and nothing was sampled", () => {
  const segment = decodeSegment(written(1, OLD));
  assert.deepEqual(segment.samples, []);
  assert.deepEqual(
    { ...segment.links[0]! },
    { ...OLD.links[0]!, tickets: 0, bursts: 0, oddNews: 0, recent: [], suppressed: 0 },
  );
  assert.deepEqual(decodeSegment(encodeSegment(segment)), segment);
});

test("a segment that version 2 wrote is read: nothing of it came in a burst, and its minutes are not known", () => {
  const links = [{ ...OLD.links[0]!, tickets: 3 }];
  const segment = decodeSegment(written(2, { ...OLD, links, samples: [] }));
  assert.deepEqual(
    { ...segment.links[0]! },
    { ...links[0]!, bursts: 0, oddNews: 0, recent: [], suppressed: 0 },
  );
  assert.deepEqual(decodeSegment(encodeSegment(segment)), segment);
});

test("a version that is not known is no segment", () => {
  const bytes = Buffer.alloc(20);
  bytes[0] = 99;
  assert.throws(() => decodeSegment(bytes), /it has version 99, this program reads those up to 5/);
});
