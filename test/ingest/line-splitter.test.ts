import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { splitLines } from "../../src/ingest/line-splitter.ts";

async function* chunksOf(parts: readonly Uint8Array[]): AsyncGenerator<Buffer> {
  for (const part of parts) yield Buffer.from(part);
}

async function split(parts: readonly Uint8Array[], lineBytesMax = 1000, linesMax = 3) {
  const lines: { text: string; cutFrom: number; consumed: number }[] = [];
  for await (const batch of splitLines(chunksOf(parts), { lineBytesMax, linesMax })) {
    assert.ok(batch.count > 0 && batch.count <= linesMax);
    for (let i = 0; i < batch.count; i++) {
      lines.push({
        text: batch.buffer.toString("latin1", batch.starts[i], batch.ends[i]),
        cutFrom: batch.cutFrom[i]!,
        consumed: batch.consumed[i]!,
      });
    }
  }
  return lines;
}

test("lines come out whole wherever the chunks are cut", async () => {
  const text = fc.stringMatching(/^[ab\n]{0,60}$/);
  await fc.assert(
    fc.asyncProperty(
      text,
      fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      async (whole, sizes) => {
        const bytes = Buffer.from(whole);
        const parts: Buffer[] = [];
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = sizes[i % sizes.length]!;
          parts.push(bytes.subarray(at, at + size));
          at += size;
        }
        const expected = whole.split("\n");
        if (expected.at(-1) === "") expected.pop();
        const lines = await split(parts);
        assert.deepEqual(
          lines.map((line) => line.text),
          expected,
        );
        let consumed = 0;
        for (const [i, line] of lines.entries()) {
          consumed = Math.min(bytes.length, consumed + expected[i]!.length + 1);
          assert.equal(line.consumed, consumed);
        }
      },
    ),
  );
});

test("Windows line ends are taken off", async () => {
  const lines = await split([Buffer.from("a\r\nb\r\n")]);
  assert.deepEqual(
    lines.map((line) => line.text),
    ["a", "b"],
  );
});

test("of an overlong line the beginning and the length are kept, and the next line is whole", async () => {
  const long = "x".repeat(100_000);
  const bytes = Buffer.from(`first\n${long}\nlast`);
  const parts: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += 777) parts.push(bytes.subarray(at, at + 777));
  const lines = await split(parts, 10);
  assert.deepEqual(
    lines.map((line) => [line.text, line.cutFrom]),
    [
      ["first", 0],
      ["x".repeat(10), 100_000],
      ["last", 0],
    ],
  );
  assert.equal(lines.at(-1)!.consumed, bytes.length);
});

test("an overlong line without an end is cut too", async () => {
  const lines = await split(
    [Buffer.from("y".repeat(50)), Buffer.from("y".repeat(50)), Buffer.from("y".repeat(50))],
    10,
  );
  assert.deepEqual(lines, [{ text: "y".repeat(10), cutFrom: 150, consumed: 150 }]);
});
