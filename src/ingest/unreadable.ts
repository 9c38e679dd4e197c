import { type Buffer, isUtf8 } from "node:buffer";
import { type NoLogin, rejected } from "./decoded.ts";

const INVALID_UTF8 = rejected("invalid-utf8", "the record is not UTF-8 text");

/**
 * Why no decoder gets to see a record: it is longer than records may be, or no text.
 *
 * @param cutFrom its length in bytes if it is too long, else 0: see `RecordBatch`
 * @param isSound true if it is known to be UTF-8, or need not be
 */
export function unreadable(
  bytes: Buffer,
  start: number,
  end: number,
  { cutFrom, isSound }: { readonly cutFrom: number; readonly isSound: boolean },
): NoLogin | undefined {
  if (cutFrom > 0)
    return rejected(
      "record-too-long",
      `${cutFrom} bytes, kept the first ${end - start}; see input.recordBytesMax`,
    );
  return isSound || isUtf8(bytes.subarray(start, end)) ? undefined : INVALID_UTF8;
}
