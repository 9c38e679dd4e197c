import { Buffer } from "node:buffer";

const NEWLINE = 0x0a;
const RETURN = 0x0d;

/** Lines of one buffer as byte ranges, without their line ends; valid until the next ones are asked for. */
export type Lines = {
  readonly buffer: Buffer;
  readonly count: number;
  readonly starts: Int32Array;
  readonly ends: Int32Array;
  /** Bytes of the input up to and including line `i` and its line end, counted from where splitting began. */
  readonly consumed: Float64Array;
  /** Full length of a line that was cut to `lineBytesMax`, else 0. */
  readonly cutFrom: Int32Array;
  /** True if the last line is the last of the input, and has no line end. */
  readonly isUnterminated: boolean;
};

/** What some editors put before the first line of UTF-8 text. */
const BYTE_ORDER_MARK = Buffer.from([0xef, 0xbb, 0xbf]);

/**
 * Cuts a stream of bytes into lines, in batches of at most `linesMax`, without copying a line unless it straddles two
 * chunks. Memory is bounded: of a line longer than `lineBytesMax` only the beginning is kept.
 *
 * @param limits.isStart true, the default, if the stream begins where the input does: a byte order mark there is no text
 */
export async function* splitLines(
  chunks: AsyncIterable<Buffer>,
  limits: { readonly lineBytesMax: number; readonly linesMax: number; readonly isStart?: boolean },
): AsyncGenerator<Lines> {
  const { lineBytesMax, linesMax } = limits;
  let isStart = limits.isStart ?? true;
  const starts = new Int32Array(linesMax);
  const ends = new Int32Array(linesMax);
  const consumedAt = new Float64Array(linesMax);
  const cutFrom = new Int32Array(linesMax);
  let carry: Buffer = Buffer.alloc(0);
  /** Bytes of the line in `carry` that were dropped because it is too long. */
  let dropped = 0;
  let consumed = 0;

  function* cut(buffer: Buffer, isEnd: boolean): Generator<Lines> {
    let position = 0;
    while (position < buffer.length) {
      let count = 0;
      while (count < linesMax && position < buffer.length) {
        const newline = buffer.indexOf(NEWLINE, position);
        if (newline < 0 && !isEnd) break;
        const next = newline < 0 ? buffer.length : newline + 1;
        let end = newline < 0 ? buffer.length : newline;
        if (end > position && buffer[end - 1] === RETURN) end--;
        const length = end - position + dropped;
        consumed += next - position + dropped;
        dropped = 0;
        starts[count] = isStart ? afterByteOrderMark(buffer, position, end) : position;
        isStart = false;
        ends[count] = Math.min(end, position + lineBytesMax);
        cutFrom[count] = length > lineBytesMax ? length : 0;
        consumedAt[count++] = consumed;
        position = next;
      }
      if (count > 0) {
        const isUnterminated = isEnd && position === buffer.length;
        yield { buffer, count, starts, ends, consumed: consumedAt, cutFrom, isUnterminated };
      }
      if (count < linesMax) break;
    }
    carry = buffer.subarray(position);
  }

  for await (const chunk of chunks) {
    if (carry.length > lineBytesMax) {
      // The rest of an overlong line: only its length matters.
      const newline = chunk.indexOf(NEWLINE);
      if (newline < 0) {
        dropped += chunk.length;
        continue;
      }
      dropped += newline;
      yield* cut(Buffer.concat([carry, chunk.subarray(newline)]), false);
    } else {
      yield* cut(carry.length === 0 ? chunk : Buffer.concat([carry, chunk]), false);
    }
  }
  if (carry.length > 0) yield* cut(carry, true);
}

function afterByteOrderMark(buffer: Buffer, start: number, end: number): number {
  const after = start + BYTE_ORDER_MARK.length;
  return after <= end && buffer.subarray(start, after).equals(BYTE_ORDER_MARK) ? after : start;
}
