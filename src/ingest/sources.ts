import { Buffer } from "node:buffer";
import { createReadStream } from "node:fs";
import { open, readdir, stat } from "node:fs/promises";
import { basename, join } from "node:path";
import { OddlinkError } from "../errors.ts";
import { gunzip, isGzip } from "./gunzip.ts";

/** Name of standard input on the command line. */
export const STDIN = "-";

/** Files of a directory that are read as logins: also rotated (`auth.log.1`) and packed (`.gz`). */
const DATA_FILE = /\.(txt|csv|json|jsonl|ndjson|log)([.-]\d+)?(\.gz)?$|^[^.]+(\.\d+)?\.gz$/i;

/** Small enough that even data packed a thousandfold unpacks to some 16 MB at a time. */
const COMPRESSED_CHUNK_BYTES = 16 * 1024;
const CHUNK_BYTES = 256 * 1024;

/** One file to read, or standard input. */
export type Source = {
  /** The file's own name, without its folder: it is part of alert uids, which must not depend on where a file lies. */
  readonly name: string;
  readonly path: string;
  /** Undefined for a stream. */
  readonly sizeBytes: number | undefined;
  /** True for standard input, a pipe or a device: it is read once, from where it stands. */
  readonly isStream: boolean;
};

/**
 * The files that the SOURCE arguments stand for: a directory gives its data files by name, not recursively.
 *
 * @param onSkipped told of each file of a directory that does not look like a log
 * @throws {OddlinkError} SOURCE_NOT_FOUND if one is not there or a directory holds none
 */
export async function findSources(
  args: readonly string[],
  onSkipped: (path: string) => void = () => {},
): Promise<Source[]> {
  const sources: Source[] = [];
  for (const arg of args) {
    if (arg === STDIN) {
      sources.push({ name: "stdin", path: STDIN, sizeBytes: undefined, isStream: true });
      continue;
    }
    const info = await stat(arg).catch((error: NodeJS.ErrnoException) => {
      const why = error.code === "ENOENT" ? "is not there" : `can't be read (${error.code})`;
      throw new OddlinkError("SOURCE_NOT_FOUND", `source ${arg} ${why}`, { cause: error });
    });
    if (!info.isDirectory()) {
      const isStream = !info.isFile();
      sources.push({ name: basename(arg), path: arg, sizeBytes: isStream ? undefined : info.size, isStream });
      continue;
    }
    const before = sources.length;
    for (const name of (await readdir(arg)).sort()) {
      const path = join(arg, name);
      // Follows symbolic links; a dangling one is no file.
      const file = await stat(path).catch(() => undefined);
      if (file === undefined || file.isDirectory()) continue;
      if (file.isFile() && DATA_FILE.test(name))
        sources.push({ name, path, sizeBytes: file.size, isStream: false });
      else onSkipped(path);
    }
    if (sources.length === before) {
      throw new OddlinkError(
        "SOURCE_NOT_FOUND",
        `directory ${arg} holds no data file (*.txt, *.csv, *.json, *.jsonl, *.log, also rotated and .gz)`,
      );
    }
  }
  return sources;
}

/** The first bytes of a file, to recognise it by; fewer if it is shorter. */
export function readStart(source: Source, bytes: number): Promise<Buffer> {
  return readBytes(source, 0, bytes);
}

/** So many bytes of a file from `position` on; fewer if it ends before. */
export async function readBytes(source: Source, position: number, bytes: number): Promise<Buffer> {
  const handle = await open(source.path);
  try {
    const buffer = Buffer.alloc(bytes);
    const { bytesRead } = await handle.read(buffer, 0, bytes, position);
    return buffer.subarray(0, bytesRead);
  } finally {
    await handle.close();
  }
}

/** The first record of a file that is not blank, at most 64 kB of it; empty if there is none. */
export async function readFirstRecord(source: Source): Promise<Buffer> {
  for await (const chunk of readSource(source, 0)) {
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
 * @param options.onRead told the number of bytes read from the file itself, for progress
 * @param options.stream what to read instead of opening the source: of a stream, what is left of it
 * @param options.signal ends reading, whatever it waits for
 * @throws {OddlinkError} SOURCE_UNREADABLE, SOURCE_TRUNCATED
 */
export async function* readSource(
  source: Source,
  skip: number,
  options: {
    readonly onRead?: (bytes: number) => void;
    readonly stream?: AsyncIterable<Buffer | string> | undefined;
    readonly signal?: AbortSignal;
  } = {},
): AsyncGenerator<Buffer> {
  const { onRead = () => {}, signal } = options;
  const isPacked = !source.isStream && isGzip(await readStart(source, 2));
  const isSeekable = !source.isStream && !isPacked;
  const stream =
    options.stream ??
    (source.path === STDIN
      ? process.stdin
      : createReadStream(source.path, {
          highWaterMark: isPacked ? COMPRESSED_CHUNK_BYTES : CHUNK_BYTES,
          ...(isSeekable && skip > 0 ? { start: skip } : {}),
          ...(signal === undefined ? {} : { signal }),
        }));
  if (isSeekable && skip > source.sizeBytes!) throw shorterThanBefore(source);
  if (isSeekable) onRead(skip);
  let rest = isSeekable ? 0 : skip;
  for await (const chunk of unpacked(watched(stream, source, onRead), source)) {
    if (signal?.aborted) return;
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
