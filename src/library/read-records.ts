import { splitLines } from "../ingest/line-splitter.ts";
import { findSources, readSource } from "../ingest/sources.ts";
import { RECORD_BYTES_MAX } from "./record-batch.ts";

/** Lines that are looked for at a time. */
const LINES_MAX = 8192;

export type ReadRecordsOptions = {
  /** So many records are passed over, such as those that a store has already. */
  readonly skip?: number | undefined;
  /** Of a longer record a little more than its beginning is kept, so that it is rejected as what it is; the engine's `input.recordBytesMax`. */
  readonly recordBytesMax?: number | undefined;
};

/**
 * The lines of files, one record each, without their ends: to be handed to an engine or a decoder. Memory is bounded, whatever the size.
 *
 * @param paths files, plain or gzip, or directories, which give their data files in the order of their names, not recursively
 * @throws {OddlinkError} SOURCE_NOT_FOUND, SOURCE_UNREADABLE, SOURCE_TRUNCATED
 *
 * @example
 * ```ts
 * import { writeFileSync } from "node:fs";
 * import { createDecoder, readRecords } from "oddlink";
 *
 * writeFileSync("auth.txt", "1,U1@DOM1,U1@DOM1,C1,C2,NTLM,Network,LogOn,Success\n");
 * const decoder = createDecoder();
 * for await (const record of readRecords(["auth.txt"])) console.log(decoder.decode(record).kind); // login
 * ```
 */
export async function* readRecords(
  paths: readonly string[],
  { skip = 0, recordBytesMax = RECORD_BYTES_MAX }: ReadRecordsOptions = {},
): AsyncGenerator<Uint8Array, void, undefined> {
  let toSkip = skip;
  for (const source of await findSources(paths)) {
    // One byte more than records may have: what is cut is too long for whoever reads it too.
    const limits = { lineBytesMax: recordBytesMax + 1, linesMax: LINES_MAX };
    for await (const { buffer, count, starts, ends } of splitLines(readSource(source, 0), limits)) {
      const first = Math.min(toSkip, count);
      toSkip -= first;
      for (let i = first; i < count; i++) yield buffer.subarray(starts[i], ends[i]);
    }
  }
}
