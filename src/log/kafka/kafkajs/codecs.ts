import { Buffer } from "node:buffer";
import { promisify } from "node:util";
import { gunzip, gzip, zstdCompress, zstdDecompress } from "node:zlib";
import { compressFrame, decompressFrame } from "lz4-napi";
import { compress as compressSnappy, uncompress as uncompressSnappy } from "snappy";

/**
 * A batch that takes more than this when it is decompressed is an error, whatever the codec: a few bytes can say that they
 * are gigabytes. Brokers take batches of 1 MiB unless told otherwise, and logins shrink to a tenth or so.
 */
export const DECOMPRESSED_BYTES_MAX = 64 * 1024 * 1024;

/** Segments, which are most of what is written, get 15 % larger than at the usual level, in a third of the time. */
const GZIP_LEVEL = 1;
const CHUNK_BYTES_MIN = 1024;
const CHUNK_BYTES_MAX = 256 * 1024;
/** So that a buffer that is filled exactly is not taken for one that was too small. */
const CHUNK_BYTES_SPARE = 64;

export type Codec = {
  /** What kafkajs hands over is an encoder that holds the bytes. */
  compress(encoder: { readonly buffer: Buffer }): Promise<Buffer>;
  decompress(bytes: Buffer): Promise<Buffer>;
};

export type CodecName = "gzip" | "snappy" | "lz4" | "zstd";

/** @param bytesMax larger results of `decompress` are an error */
export function createCodecs(bytesMax = DECOMPRESSED_BYTES_MAX): Readonly<Record<CodecName, Codec>> {
  const limit = { maxOutputLength: bytesMax };
  return {
    gzip: {
      compress: ({ buffer }) => promisify(gzip)(buffer, { level: GZIP_LEVEL }),
      decompress: (bytes) =>
        promisify(gunzip)(bytes, { ...limit, chunkSize: chunkFor(gunzippedBytes(bytes)) }),
    },
    zstd: {
      compress: ({ buffer }) => promisify(zstdCompress)(buffer),
      decompress: (bytes) => promisify(zstdDecompress)(bytes, limit),
    },
    snappy: {
      compress: ({ buffer }) => compressSnappy(buffer),
      decompress: (bytes) => decompressSnappy(bytes, bytesMax),
    },
    lz4: {
      compress: ({ buffer }) => compressFrame(buffer),
      decompress: async (bytes) => {
        requireAtMost(bytesMax, lz4Bytes(bytes, bytesMax));
        return decompressFrame(bytes);
      },
    },
  };
}

/** A result that fits one chunk takes one turn in the thread pool, not one for every 16 KiB of it. */
function chunkFor(bytes: number): number {
  return Math.min(Math.max(bytes + CHUNK_BYTES_SPARE, CHUNK_BYTES_MIN), CHUNK_BYTES_MAX);
}

/** What gzip says at its end: right unless there are several parts, or more than 4 GiB. A hint, as anybody may write it. */
function gunzippedBytes(bytes: Buffer): number {
  return bytes.length < 4 ? 0 : bytes.readUInt32LE(bytes.length - 4);
}

function requireAtMost(bytesMax: number, bytes: number): void {
  if (bytes > bytesMax)
    throw new RangeError(`decompressed it takes ${bytes} bytes, the limit is ${bytesMax}`);
}

/**
 * Java's snappy library, and so its producers, put blocks behind a header of their own:
 *
 *   82 53 4E 41 50 50 59 00 | version:i32 | compatible:i32 | (length:i32 | snappy block)*
 */
const JAVA_SNAPPY_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const JAVA_SNAPPY_HEADER_BYTES = 16;

async function decompressSnappy(bytes: Buffer, bytesMax: number): Promise<Buffer> {
  const blocks: Buffer[] = [];
  if (bytes.subarray(0, JAVA_SNAPPY_MAGIC.length).equals(JAVA_SNAPPY_MAGIC)) {
    for (let at = JAVA_SNAPPY_HEADER_BYTES; at < bytes.length; ) {
      const length = bytes.readInt32BE(at);
      if (length < 0 || at + 4 + length > bytes.length) throw new RangeError("a snappy block is cut off");
      blocks.push(bytes.subarray(at + 4, at + 4 + length));
      at += 4 + length;
    }
  } else {
    blocks.push(bytes);
  }
  requireAtMost(
    bytesMax,
    blocks.reduce((sum, block) => sum + snappyBytes(block), 0),
  );
  const results = await Promise.all(blocks.map((block) => uncompressSnappy(block, { asBuffer: true })));
  return results.length === 1 ? (results[0] as Buffer) : Buffer.concat(results as Buffer[]);
}

/** Decompressed length, which a snappy block begins with: seven bits a byte, the lowest first. */
function snappyBytes(block: Buffer): number {
  let length = 0;
  for (let i = 0; i < 5; i++) {
    const byte = block[i];
    if (byte === undefined) break;
    length += (byte & 0x7f) * 2 ** (7 * i);
    if (byte < 0x80) return length;
  }
  throw new RangeError("a snappy block does not begin with its length");
}

const LZ4_MAGIC = 0x184d2204;

/**
 * What an LZ4 frame takes when it is decompressed: exact, or an upper bound that is not above `bytesMax`.
 *
 *   magic:u32le | flags:u8 | block size:u8 | [content size:u64le] | [dictionary:u32le] | checksum:u8 |
 *   (size:u32le, highest bit set if not compressed | block | [checksum:u32le])* | 0:u32 | [checksum:u32le]
 */
function lz4Bytes(bytes: Buffer, bytesMax: number): number {
  if (bytes.length < 7 || bytes.readUInt32LE(0) !== LZ4_MAGIC) throw new RangeError("this is no LZ4 frame");
  const flags = bytes[4]!;
  const blockBytesMax = 2 ** (8 + 2 * ((bytes[5]! >> 4) & 7));
  const checksumBytes = (flags & 0x10) === 0 ? 0 : 4;
  const headerBytes = 7 + ((flags & 0x08) === 0 ? 0 : 8) + ((flags & 0x01) === 0 ? 0 : 4);
  const blocks: { readonly start: number; readonly end: number; readonly isCompressed: boolean }[] = [];
  for (let at = headerBytes; at + 4 <= bytes.length; ) {
    const size = bytes.readUInt32LE(at);
    if (size === 0) break;
    const end = at + 4 + (size & 0x7fffffff);
    if (end > bytes.length) throw new RangeError("an LZ4 block is cut off");
    blocks.push({ start: at + 4, end, isCompressed: size <= 0x7fffffff });
    at = end + checksumBytes;
  }
  if (blocks.length * blockBytesMax <= bytesMax) return blocks.length * blockBytesMax;
  return blocks.reduce(
    (sum, { start, end, isCompressed }) =>
      sum + (isCompressed ? lz4BlockBytes(bytes, start, end) : end - start),
    0,
  );
}

/** A block is a row of (lengths:u8 | [more of the first] | literals | distance:u16le | [more of the second]). */
function lz4BlockBytes(bytes: Buffer, start: number, end: number): number {
  let at = start;
  let total = 0;
  /** A length of 15 goes on in the bytes that follow, up to the first that is not 255. */
  const lengthFrom = (nibble: number): number => {
    let length = nibble;
    for (let more = nibble === 15; more && at < end; ) {
      const byte = bytes[at++]!;
      length += byte;
      more = byte === 255;
    }
    return length;
  };
  while (at < end) {
    const lengths = bytes[at++]!;
    const literals = lengthFrom(lengths >> 4);
    total += literals;
    at += literals;
    // The last row ends with its literals.
    if (at >= end) break;
    at += 2;
    total += 4 + lengthFrom(lengths & 15);
  }
  return total;
}
