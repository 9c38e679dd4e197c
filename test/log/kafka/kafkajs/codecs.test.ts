import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { compress as compressSnappy } from "snappy";
import { type CodecName, createCodecs } from "../../../../src/log/kafka/kafkajs/codecs.ts";

const CODECS: readonly CodecName[] = ["gzip", "snappy", "lz4", "zstd"];

test("the framing of Java's snappy is understood, and that of nobody too", async () => {
  const { decompress } = createCodecs().snappy;
  const parts = [Buffer.from("some text, "), Buffer.from("more of it, "), Buffer.alloc(40_000, "x")];
  const blocks = await Promise.all(parts.map((part) => compressSnappy(part)));
  const framed: Buffer[] = [Buffer.from("82534e41505059000000000100000001", "hex")];
  for (const block of blocks) {
    const length = Buffer.alloc(4);
    length.writeInt32BE(block.length);
    framed.push(length, block);
  }
  assert.deepEqual(await decompress(Buffer.concat(framed)), Buffer.concat(parts));
  assert.deepEqual(await decompress(blocks[2]!), parts[2]);
  await assert.rejects(decompress(Buffer.concat(framed).subarray(0, -3)), /cut off/);
});

test("no codec decompresses more than the limit, nor what is broken", async () => {
  const generous = createCodecs(1_000_000);
  const strict = createCodecs(1000);
  for (const name of CODECS) {
    const zeros = Buffer.alloc(100_000);
    const compressed = await generous[name].compress({ buffer: zeros });
    assert.deepEqual(await generous[name].decompress(compressed), zeros, name);
    await assert.rejects(strict[name].decompress(compressed), name);
    const exact = await strict[name].compress({ buffer: Buffer.alloc(1000, "ab") });
    assert.equal((await strict[name].decompress(exact)).length, 1000, name);
    await assert.rejects(generous[name].decompress(Buffer.from("no compressed data at all")), name);
    // Node 22 takes half of a zstd frame for the whole. Brokers check what they take, so that none is cut.
    if (name === "zstd") continue;
    await assert.rejects(generous[name].decompress(compressed.subarray(0, compressed.length / 2)), name);
  }
});
