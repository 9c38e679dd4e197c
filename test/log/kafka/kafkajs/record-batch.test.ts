import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { createRequire } from "node:module";
import { test } from "node:test";
import fc from "fast-check";
import { COMPRESSION_TYPES, patchKafkajs } from "../../../../src/log/kafka/kafkajs/patches.ts";
import { decodeRecordBatch } from "../../../../src/log/kafka/kafkajs/record-batch.ts";

patchKafkajs();
const require = createRequire(import.meta.url);
type Encoder = { readonly buffer: Buffer };
type Message = {
  readonly offsetDelta: number;
  readonly timestampDelta: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: Readonly<Record<string, Buffer>>;
};
const encodeRecord = require("kafkajs/src/protocol/recordBatch/record/v0/index.js") as (
  message: Message,
) => Encoder;
const { RecordBatch: encodeBatch } = require("kafkajs/src/protocol/recordBatch/v0/index.js") as {
  RecordBatch(batch: Readonly<Record<string, unknown>>): Promise<Encoder>;
};

const FIRST_OFFSET = 9_000_000_000;
const FIRST_TIME_MS = 1_790_000_000_000;

async function encoded(messages: readonly Message[], more: Readonly<Record<string, unknown>> = {}) {
  const { buffer } = await encodeBatch({
    firstOffset: FIRST_OFFSET,
    firstTimestamp: FIRST_TIME_MS,
    maxTimestamp: FIRST_TIME_MS + 500,
    lastOffsetDelta: messages.at(-1)?.offsetDelta ?? 0,
    producerId: 7,
    records: messages.map(encodeRecord),
    ...more,
  });
  return buffer;
}

const part = fc.option(fc.uint8Array({ maxLength: 300 }).map(Buffer.from));
const message = fc.record({
  timestampDelta: fc.integer({ min: -1_000_000, max: 1_000_000 }),
  key: part,
  value: part,
  headers: fc.dictionary(fc.string({ minLength: 1 }), fc.uint8Array({ maxLength: 50 }).map(Buffer.from), {
    noNullPrototype: true,
  }),
});
const messages = fc
  .array(message, { minLength: 1, maxLength: 30 })
  .map((list) => list.map((one, i) => ({ ...one, offsetDelta: 3 * i })));
const compression = fc.constantFrom(0, ...Object.values(COMPRESSION_TYPES));

test("what another client encodes comes back, whatever its compression", async () => {
  await fc.assert(
    fc.asyncProperty(messages, compression, fc.boolean(), async (list, codec, transactional) => {
      const before = Buffer.from("before");
      const bytes = await encoded(list, { compression: codec, transactional });
      const batch = await decodeRecordBatch(Buffer.concat([before, bytes]), before.length);
      const { records, ...rest } = batch!;
      assert.deepEqual(rest, {
        firstOffset: FIRST_OFFSET,
        lastOffset: FIRST_OFFSET + list.at(-1)!.offsetDelta,
        lastTimeMs: FIRST_TIME_MS + 500,
        producerId: 7n,
        inTransaction: transactional,
        isControl: false,
        end: before.length + bytes.length,
      });
      const expected = list.map(({ offsetDelta, timestampDelta, key, value, headers }) => ({
        offset: FIRST_OFFSET + offsetDelta,
        timestampMs: FIRST_TIME_MS + timestampDelta,
        key,
        value,
        headers: { ...headers },
        isControlRecord: false,
      }));
      assert.deepEqual(records, expected);
    }),
    { numRuns: 200 },
  );
});

test("bytes that are damaged are an error or a batch, and never more than that", async () => {
  await fc.assert(
    fc.asyncProperty(messages, fc.nat(), fc.integer({ min: 0, max: 255 }), async (list, at, byte) => {
      const bytes = await encoded(list);
      bytes[at % bytes.length] = byte;
      await decodeRecordBatch(bytes, 0).catch((error: unknown) => assert(error instanceof Error));
    }),
    { numRuns: 300 },
  );
});

test("a batch that is cut off is none yet", async () => {
  const bytes = await encoded([
    { offsetDelta: 0, timestampDelta: 0, key: null, value: Buffer.from("value"), headers: {} },
  ]);
  for (let length = 0; length < bytes.length; length++)
    assert.equal(await decodeRecordBatch(bytes.subarray(0, length), 0), undefined);
});

test("of headers with one name the last counts", async () => {
  const [first, second] = ["a", "b"].map((text) => Buffer.from(text));
  const headers = { twice: [first, second] } as unknown as Message["headers"];
  const batch = await decodeRecordBatch(
    await encoded([{ offsetDelta: 0, timestampDelta: 0, key: null, value: null, headers }]),
    0,
  );
  assert.deepEqual(batch!.records[0]!.headers, { twice: second });
});
