import { createReadStream } from "node:fs";
import { pipeline } from "node:stream";
import { type Info, parse } from "csv-parse";
import { gunzip, isGzip } from "./gunzip.ts";

/** Longest row, in characters: every column of a login at its longest, quoted, and room to spare. */
const ROW_LENGTH_MAX = 8192;

/**
 * The rows of a CSV file, plain or gzip; `info.lines` is the line a row ends on, counted from 1. Cells are trimmed, rows
 * may differ in length, empty lines are left out. A pipe will do as well as a file.
 *
 * @throws the errors of `node:fs`, csv-parse (`CsvError`) and `gunzip` as they are
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

async function* plainBytes(file: string): AsyncGenerator<Buffer> {
  const chunks: AsyncIterator<Buffer> & AsyncIterable<Buffer> =
    createReadStream(file)[Symbol.asyncIterator]();
  let start = Buffer.alloc(0);
  while (start.length < 2) {
    const next = await chunks.next();
    if (next.done === true) break;
    start = Buffer.concat([start, next.value]);
  }
  const whole = startingWith(start, chunks);
  yield* isGzip(start) ? gunzip(whole, file) : whole;
}

async function* startingWith(start: Buffer, rest: AsyncIterable<Buffer>): AsyncGenerator<Buffer> {
  yield start;
  yield* rest;
}
