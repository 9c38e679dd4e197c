import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { createGunzip } from "node:zlib";
import { type Info, parse } from "csv-parse";

/** Longest row, in characters: every column of a login at its longest, quoted, and room to spare. */
const ROW_LENGTH_MAX = 8192;

/**
 * The rows of a CSV file, plain or gzip; `info.lines` is the line a row ends on, counted from 1. Cells are trimmed, rows
 * may differ in length, empty lines are left out.
 *
 * @throws the errors of `node:fs`, `node:zlib` (code `Z_...`) and csv-parse (`CsvError`) as they are
 */
export function csvRows(file: string): AsyncIterable<{ info: Info; record: string[] }> {
  const parser = parse({
    bom: true,
    info: true,
    trim: true,
    relax_column_count: true,
    skip_empty_lines: true,
    max_record_size: ROW_LENGTH_MAX,
    record_delimiter: ["\r\n", "\n", "\r"],
  });
  // The error reaches the reader of the parser; the callback only keeps it from being thrown a second time.
  pipeline(plainBytes(file), parser, () => {});
  return parser;
}

/** The file's bytes, unzipped if they begin like gzip. Peeks into the stream, so a pipe will do as well as a file. */
async function* plainBytes(file: string): AsyncGenerator<Buffer> {
  const source = createReadStream(file);
  const chunks = source.iterator({ destroyOnReturn: false }) as AsyncIterableIterator<Buffer>;
  let head = Buffer.alloc(0);
  while (head.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    head = Buffer.concat([head, next.value]);
  }
  async function* whole(): AsyncGenerator<Buffer> {
    try {
      yield head;
      yield* chunks;
    } finally {
      source.destroy();
    }
  }
  if (head[0] !== 0x1f || head[1] !== 0x8b) {
    yield* whole();
    return;
  }
  const gunzip = createGunzip();
  pipeline(whole(), gunzip, () => {});
  yield* gunzip as AsyncIterable<Buffer>;
}
