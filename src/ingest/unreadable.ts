import { type Buffer, isUtf8 } from "node:buffer";
import { type NoLogin, rejected } from "./decoded.ts";

const INVALID_UTF8 = rejected("invalid-utf8", "the record is not UTF-8 text");
const UTF_16 = rejected(
  "invalid-utf8",
  "the record looks like UTF-16: convert it to UTF-8 (iconv -f UTF-16 -t UTF-8)",
);

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
  if (isSound || isUtf8(bytes.subarray(start, end))) return undefined;
  return looksLikeUtf16(bytes, start, end) ? UTF_16 : INVALID_UTF8;
}

/** Its byte order mark, in either order. */
function looksLikeUtf16(bytes: Buffer, start: number, end: number): boolean {
  if (end - start < 2) return false;
  const [a, b] = [bytes[start], bytes[start + 1]];
  return (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff);
}
