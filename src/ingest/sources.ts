import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { OddlinkError } from "../errors.ts";
import { gunzip, isGzip } from "./gunzip.ts";

/** Name of standard input on the command line. */
export const STDIN = "-";

/** Files of a directory that are read as logins, with or without `.gz`. */
const DATA_FILE = /\.(txt|csv|json|jsonl|ndjson|log)(\.gz)?$|^[^.]+\.gz$/;

/** Small enough that even data packed a thousandfold unpacks to some 16 MB at a time. */
const COMPRESSED_CHUNK_BYTES = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** One file to read, or standard input. */
export type Source = {
  /** The file's own name, without its folder: it is part of alert uids, which must not depend on where a file lies. */
  readonly name: string;
  readonly path: string;
  readonly sizeBytes: number | undefined;
};

/**
 * The files that the SOURCE arguments stand for: a directory gives its data files by name, not recursively.
 *
 * @throws {OddlinkError} SOURCE_NOT_FOUND if one is not there or a directory holds none
 */
export async function findSources(args: readonly string[]): Promise<Source[]> {
  const sources: Source[] = [];
  for (const arg of args) {
    if (arg === STDIN) {
      sources.push({ name: "stdin", path: STDIN, sizeBytes: undefined });
      continue;
    }
    const info = await stat(arg).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "is not there" : `can't be read (${error.code})`;
      throw new OddlinkError("SOURCE_NOT_FOUND", `source ${arg} ${why}`, { cause: error });
    });
    if (!info.isDirectory()) {
      sources.push({ name: basename(arg), path: arg, sizeBytes: info.isFile() ? info.size : undefined });
      continue;
    }
    const names = (await readdir(arg, { withFileTypes: true }))
      .filter((entry) => entry.isFile() && DATA_FILE.test(entry.name))
      .map((entry) => entry.name)
      .sort();
    if (names.length === 0) {
      throw new OddlinkError(
        "SOURCE_NOT_FOUND",
        `directory ${arg} holds no data file (*.txt, *.csv, *.json, *.log, also .gz)`,
      );
    }
    for (const name of names) {
      const path = join(arg, name);
      sources.push({ name, path, sizeBytes: (await stat(path)).size });
    }
  }
  return sources;
}

/** The first bytes of a file, to recognise it by; fewer if it is shorter. */
export async function readStart(source: Source, bytes: number): Promise<Buffer> {
  const handle = await open(source.path);
  try {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await handle.read(buffer, 0, bytes, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The first record of a file that is not blank, at most 64 kB of it; empty if there is none. */
export async function readFirstRecord(source: Source): Promise<Buffer> {
  for await (const chunk of readSource(source, 0, () => {})) {
    const line = chunk
      .toString("latin1")
      .split("\n")
      .find((text) => text.trim() !== "");
    return Buffer.from((line ?? "").replace(/\r$/, "").slice(0, 65_536), "latin1");
  }
  return Buffer.alloc(0);
}

/**
 * The bytes of a source, decompressed if they are gzip, from byte `skip` (counted after decompression) on.
 *
 * @param onRead told the number of bytes read from the file itself, for progress
 * @throws {OddlinkError} SOURCE_UNREADABLE, SOURCE_TRUNCATED
 */
export async function* readSource(
  source: Source,
  skip: number,
  onRead: (bytes: number) => void,
  stdin: AsyncIterable<Buffer | string> = process.stdin,
): AsyncGenerator<Buffer> {
  const raw = source.path === STDIN ? stdin : undefined;
  const isPacked = raw === undefined && isGzip(await readStart(source, 2));
  const isSeekable = raw === undefined && !isPacked && source.sizeBytes !== undefined;
  const stream =
    raw ??
    createReadStream(source.path, {
      highWaterMark: isPacked ? COMPRESSED_CHUNK_BYTES : CHUNK_BYTES,
      start: isSeekable ? skip : 0,
    });
  if (isSeekable && skip > source.sizeBytes!) throw shorterThanBefore(source);
  if (isSeekable) onRead(skip);
  let rest = isSeekable ? 0 : skip;
  for await (const chunk of unpacked(watched(stream, source, onRead), source)) {
    if (rest >= chunk.length) {
      rest -= chunk.length;
      continue;
    }
    yield rest > 0 ? chunk.subarray(rest) : chunk;
    rest = 0;
  }
  if (rest > 0) throw shorterThanBefore(source);
}

function shorterThanBefore(source: Source): OddlinkError {
  return new OddlinkError(
    "SOURCE_CHANGED",
    `${source.name} is shorter than what was read of it before; use another --store`,
  );
}

async function* watched(
  stream: AsyncIterable<Buffer | string>,
  source: Source,
  onRead: (bytes: number) => void,
): AsyncGenerator<Buffer> {
  try {
    for await (const chunk of stream) {
      const buffer = typeof chunk === "string" ? Buffer.from(chunk) : chunk;
      onRead(buffer.length);
      yield buffer;
    }
  } catch (error) {
    throw new OddlinkError("SOURCE_UNREADABLE", `${source.name} can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}

/** Looks at the first bytes: gzip is recognised from a pipe too. */
async function* unpacked(chunks: AsyncGenerator<Buffer>, source: Source): AsyncGenerator<Buffer> {
  let start = Buffer.alloc(0);
  while (start.length < 2) {
    const { value, done } = await chunks.next();
    if (done) break;
    start = Buffer.concat([start, value]);
  }
  const whole = withStart(start, chunks);
  yield* isGzip(start) ? gunzip(whole, source.name) : whole;
}

async function* withStart(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  if (start.length > 0) yield start;
  yield* rest;
}
