import { Buffer, isUtf8 } from "node:buffer";
import type avro from "avsc";

/** Deepest nesting of values in one record. */
const DEPTH_MAX = 64;
/** Most array items and map entries of one record: items may take no bytes at all. */
const ITEMS_MAX = 100_000;
/** Longest variable-length number. */
const VARINT_BYTES_MAX = 10;
const ASCII_MAX = 0x7f;

/** What a value looks like in bytes. */
export const NULL = 0;
export const NUMBER = 1;
export const TEXT = 2;
export const BYTES = 3;
export const ENUM = 4;
export const UNION = 5;
export const FIXED = 6;
export const RECORD = 7;
export const ARRAY = 8;
export const MAP = 9;

/** As much of an Avro type as reading its values needs; of a recursive type it is a cycle. */
export type AvroShape = {
  readonly kind: number;
  /** Bytes of a value of fixed length; else 0. */
  readonly size: number;
  readonly symbols: readonly Buffer[];
  /** Fields of a record, branches of a union, the item of an array or map. */
  readonly parts: readonly AvroShape[];
};

type AvroType = avro.Type & {
  readonly fields: readonly { readonly type: avro.Type }[];
  readonly types: readonly avro.Type[];
  readonly itemsType: avro.Type;
  readonly valuesType: avro.Type;
  readonly symbols: readonly string[];
  readonly size: number;
};

/** @param known shapes of types met before, by type */
export function shapeOf(type: avro.Type, known = new Map<avro.Type, AvroShape>()): AvroShape {
  const before = known.get(type);
  if (before !== undefined) return before;
  const { kind, size = 0, symbols = [], parts = [] } = describe(type as AvroType);
  const shapes: AvroShape[] = [];
  const shape = { kind, size, symbols: symbols.map((symbol) => Buffer.from(symbol)), parts: shapes };
  known.set(type, shape);
  for (const part of parts) shapes.push(shapeOf(part, known));
  return shape;
}

function describe(type: AvroType): {
  kind: number;
  size?: number;
  symbols?: readonly string[];
  parts?: readonly avro.Type[];
} {
  switch (type.typeName) {
    case "null":
      return { kind: NULL };
    case "int":
    case "long":
      return { kind: NUMBER };
    case "string":
      return { kind: TEXT };
    case "bytes":
      return { kind: BYTES };
    case "enum":
      return { kind: ENUM, symbols: type.symbols };
    case "union:wrapped":
    case "union:unwrapped":
      return { kind: UNION, parts: type.types };
    case "boolean":
      return { kind: FIXED, size: 1 };
    case "float":
      return { kind: FIXED, size: 4 };
    case "double":
      return { kind: FIXED, size: 8 };
    case "fixed":
      return { kind: FIXED, size: type.size };
    case "record":
    case "error":
      return { kind: RECORD, parts: type.fields.map((field) => field.type) };
    case "array":
      return { kind: ARRAY, parts: [type.itemsType] };
    case "map":
      return { kind: MAP, parts: [type.valuesType] };
    default:
      throw new Error(`${type.typeName} is no Avro type`);
  }
}

/**
 * Reads the values of one Avro body in order, names as byte ranges where they lie.
 *
 * For untrusted bytes, which avsc is not made for: it reads a cut record on into its neighbour, spends years on ten
 * bytes that announce 2^53 nulls, and goes round for ever in a block of negative size. Here nothing is read beyond the
 * end, and time and depth are bounded. Once something was wrong, `isSound` stays false.
 */
export class AvroBody {
  isSound = true;
  /** Range of the last `readBytes` or `readText`. */
  start = 0;
  end = 0;
  #bytes: Buffer = Buffer.alloc(0);
  #at = 0;
  #limit = 0;
  #items = 0;

  open(bytes: Buffer, start: number, end: number): void {
    this.#bytes = bytes;
    this.#at = start;
    this.#limit = end;
    this.#items = 0;
    this.isSound = true;
  }

  get isAtEnd(): boolean {
    return this.#at === this.#limit;
  }

  /** A zigzag number, rounded beyond 2^53. */
  readLong(): number {
    const bytes = this.#bytes;
    const limit = Math.min(this.#limit, this.#at + VARINT_BYTES_MAX);
    let value = 0;
    let unit = 1;
    for (let at = this.#at; at < limit; ) {
      const byte = bytes[at++]!;
      if (byte < 0x80) {
        this.#at = at;
        if (unit === 1) return (byte >> 1) ^ -(byte & 1);
        value += byte * unit;
        return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
      }
      value += (byte & 0x7f) * unit;
      unit *= 128;
    }
    this.isSound = false;
    return 0;
  }

  /** The shape of the branch that a union value has; undefined if there is none. */
  readBranch(union: AvroShape): AvroShape | undefined {
    const branch = union.parts[this.readLong()];
    if (branch === undefined) this.isSound = false;
    return branch;
  }

  /** The symbol of an enum value; undefined if there is none. */
  readSymbol(shape: AvroShape): Buffer | undefined {
    const symbol = shape.symbols[this.readLong()];
    if (symbol === undefined) this.isSound = false;
    return symbol;
  }

  readBytes(): void {
    this.#pass(this.readLong());
  }

  /** Whether the bytes from `start` to `end` are UTF-8. */
  isText(): boolean {
    const bytes = this.#bytes;
    for (let i = this.start; i < this.end; i++) {
      if (bytes[i]! > ASCII_MAX) return isUtf8(bytes.subarray(this.start, this.end));
    }
    return true;
  }

  skip(shape: AvroShape, depth = 0): void {
    switch (shape.kind) {
      case NULL:
        return;
      case NUMBER:
        this.readLong();
        return;
      case TEXT:
      case BYTES:
        this.readBytes();
        return;
      case ENUM:
        this.readSymbol(shape);
        return;
      case FIXED:
        this.#pass(shape.size);
        return;
      case UNION: {
        const branch = this.readBranch(shape);
        if (branch !== undefined) this.skip(branch, depth);
        return;
      }
      case RECORD:
        if (depth === DEPTH_MAX) this.isSound = false;
        for (const part of shape.parts) if (this.isSound) this.skip(part, depth + 1);
        return;
      default:
        if (depth === DEPTH_MAX) this.isSound = false;
        this.#skipBlocks(shape, depth + 1);
    }
  }

  /** Arrays and maps come in blocks, the last one empty. A negative count says the block's size in bytes as well. */
  #skipBlocks(shape: AvroShape, depth: number): void {
    while (this.isSound) {
      const count = this.readLong();
      if (count === 0) return;
      if (count < 0) {
        this.readBytes();
        continue;
      }
      this.#items += count;
      if (this.#items > ITEMS_MAX) this.isSound = false;
      for (let i = 0; i < count && this.isSound; i++) {
        if (shape.kind === MAP) this.readBytes();
        this.skip(shape.parts[0]!, depth);
      }
    }
  }

  #pass(length: number): void {
    this.start = this.#at;
    if (length >= 0 && length <= this.#limit - this.#at) this.#at += length;
    else this.isSound = false;
    this.end = this.#at;
  }
}
