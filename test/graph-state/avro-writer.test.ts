import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import avro from "avsc";
import fc from "fast-check";
import { AvroWriter } from "../../src/graph-state/avro-writer.ts";
import { encodeSegment, SEGMENT_SCHEMA, type Segment } from "../../src/graph-state/segment.ts";

const PREFIX_BYTES = 5;
const anInt = fc.integer({ min: 0, max: 2 ** 31 - 1 });
const aLong = fc.oneof(
  fc.integer({ min: -300, max: 300 }),
  fc.maxSafeInteger().map((long) => Math.trunc(long / 2)),
);
const aDouble = fc.double();
const aName = fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes));

const aSegment: fc.Arbitrary<Segment> = fc.record({
  group: fc.string({ unit: "grapheme" }),
  piece: anInt,
  isLast: fc.boolean(),
  ranges: fc.array(fc.record({ partition: anInt, historyStart: aLong, first: aLong, next: aLong })),
  watermarkMs: aDouble,
  originMs: aDouble,
  names: fc.array(fc.record({ kind: anInt, name: aName })),
  relations: fc.array(aName),
  links: fc.array(
    fc.record({
      kind: anInt,
      relation: anInt,
      from: anInt,
      to: anInt,
      count: aLong,
      failures: aLong,
      strong: aLong,
      weak: aLong,
      tickets: aLong,
      alerts: aLong,
      firstMs: aDouble,
      spanMs: aDouble,
      minutes: aLong,
      days: aLong,
      bursts: aLong,
      oddNews: aLong,
      recent: fc.array(aLong),
      suppressed: aLong,
    }),
  ),
  histograms: fc.array(
    fc.record({ name: fc.string(), hour: aLong, bins: fc.array(anInt), counts: fc.array(aLong) }),
  ),
  incidents: fc.array(
    fc.record({
      tier: fc.string(),
      user: fc.string({ unit: "grapheme" }),
      sourceHost: fc.string(),
      slotStartMs: aDouble,
      slotEndMs: aDouble,
      alerts: aLong,
      peak: aLong,
      alertedPeak: aLong,
      partition: anInt,
    }),
  ),
  stories: fc.array(
    fc.record({
      uid: fc.string(),
      channel: fc.string(),
      partition: anInt,
      firstMs: aDouble,
      lastMs: aDouble,
      alerts: aLong,
      risk: anInt,
      severity: anInt,
      closed: anInt,
      legs: fc.array(
        fc.record({
          user: fc.string({ unit: "grapheme" }),
          sourceHost: fc.string(),
          targetHost: fc.string({ unit: "grapheme" }),
        }),
      ),
    }),
  ),
  samples: fc.array(
    fc.record({ hour: aLong, key: aLong, user: aName, sourceHost: aName, targetHost: aName, rows: aName }),
  ),
});

test("a segment is written as a library writes it by the published schema", () => {
  const type = avro.Type.forSchema(SEGMENT_SCHEMA as avro.Schema);
  fc.assert(
    fc.property(aSegment, (segment) => {
      assert.deepEqual(encodeSegment(segment).subarray(PREFIX_BYTES), type.toBuffer(segment));
    }),
  );
});

test("every whole number below 2 ** 52 comes back as it was written", () => {
  const type = avro.Type.forSchema("long");
  const writer = new AvroWriter();
  const powers = Array.from({ length: 52 }, (_, bit) => 2 ** bit);
  const edges = powers.flatMap((power) => [power - 2, power - 1, power, power + 1]);
  for (const edge of edges.filter((edge) => Math.abs(edge) < 2 ** 52)) {
    for (const value of [edge, -edge]) {
      writer.reset(0);
      writer.long(value);
      assert.equal(type.fromBuffer(Buffer.from(writer.bytes)), value === 0 ? 0 : value);
    }
  }
});

test("what is no whole number is a bug, and never written as another one", () => {
  const writer = new AvroWriter();
  for (const value of [0.5, -1.5, Number.NaN, Number.POSITIVE_INFINITY, 2 ** 52]) {
    assert.throws(() => writer.long(value), /no whole number/);
  }
});

test("the buffer grows with what is written, and keeps it", () => {
  const writer = new AvroWriter();
  const big = Buffer.alloc(300_000, 7);
  writer.reset(0);
  writer.long(1);
  writer.fixed(big);
  writer.double(0.5);
  assert.deepEqual(writer.bytes.subarray(1, 1 + big.length), big);
  assert.equal(writer.bytes.readDoubleLE(1 + big.length), 0.5);
});
