import assert from "node:assert/strict";
import type { Buffer } from "node:buffer";
import { LRUCache } from "lru-cache";
import { OddlinkError } from "../../errors.ts";
import { type Decoded, rejected } from "../decoded.ts";
import type { RegisteredSchema, SchemaSource } from "../schema-registry.ts";
import { AvroLoginReader, type LoginPlan, loginPlanOf } from "./avro-login.ts";
import type { Decoder, Format } from "./format.ts";
import { oddlink } from "./oddlink.ts";
import { HEADER_BYTES, MAGIC } from "./wire-format.ts";

/** Newer clients: this byte, then a schema GUID of 16 bytes. */
const MAGIC_GUID = 1;
const SCHEMA_ID_MAX = 0x7fff_ffff;
/** Writer schemas that a decoder keeps ready to use. */
const WRITERS_MAX = 100;
/** avsc quotes schemas in its errors; a dead letter needs the beginning. */
const DETAIL_CHARACTERS_MAX = 200;

/** Avro as Confluent's serializers write it; the fields are those of `LOGIN_SCHEMA`. */
export const avro: Format = {
  name: "avro",
  page: {
    title: "Avro",
    about:
      "Confluent's wire format, writer schemas from `input.registry`; the fields of `schemas/login.avsc`.",
    recognisedBy: "a zero byte and a schema id, where a registry is configured",
    fields: oddlink.page.fields,
    records: oddlink.page.records,
  },
  recognises: (bytes, start, end) => bytes[start] === MAGIC && end - start >= HEADER_BYTES,
  createDecoder({ schemas }) {
    if (schemas === undefined)
      throw new OddlinkError("CONFIG_INVALID", "format avro needs a schema registry: set input.registry.url");
    return new AvroDecoder(schemas);
  },
  timeMs: oddlink.timeMs,
};

/** How to read the records of one schema id, or what to say of each of them. */
type Writer =
  | { readonly id: number; readonly plan: LoginPlan }
  | { readonly id: number; readonly plan: undefined; readonly refusal: Decoded };

class AvroDecoder implements Decoder {
  readonly #schemas: SchemaSource;
  readonly #reader = new AvroLoginReader();
  readonly #writers = new LRUCache<number, Writer>({ max: WRITERS_MAX });
  /** Writer of the record at hand, mostly that of the record before. */
  #writer: Writer | undefined = undefined;

  constructor(schemas: SchemaSource) {
    this.#schemas = schemas;
  }

  prepare(bytes: Buffer, start: number, end: number): Promise<void> | undefined {
    const id = schemaId(bytes, start, end);
    if (id === undefined || (id === this.#writer?.id && this.#writer.plan !== undefined)) return undefined;
    const known = this.#writers.get(id);
    if (known !== undefined) {
      this.#writer = known;
      return undefined;
    }
    const schema = this.#schemas.peek(id);
    if (schema === undefined) return this.#schemas.find(id).then((found) => this.#use(id, found));
    this.#use(id, schema);
    return undefined;
  }

  isBinary(): boolean {
    return true;
  }

  decode(bytes: Buffer, start: number, end: number): Decoded {
    const id = schemaId(bytes, start, end);
    if (id === undefined) return withoutSchema(bytes, start, end);
    const writer = this.#writer;
    assert(writer?.id === id, "a record was decoded that was not prepared");
    if (writer.plan === undefined) return writer.refusal;
    return this.#reader.read(writer.plan, bytes, start + HEADER_BYTES, end);
  }

  #use(id: number, schema: RegisteredSchema): void {
    this.#writer = writerOf(id, schema);
    // An unknown id may become known: its source says when to ask again.
    if (schema.kind !== "unknown") this.#writers.set(id, this.#writer);
  }
}

function writerOf(id: number, schema: RegisteredSchema): Writer {
  if (schema.kind === "unknown") return { id, plan: undefined, refusal: unknownSchema(id) };
  try {
    if (schema.kind === "unusable") throw new Error(schema.detail);
    return { id, plan: loginPlanOf(schema.text) };
  } catch (error) {
    const detail = `schema id ${id}: ${(error as Error).message}`.slice(0, DETAIL_CHARACTERS_MAX);
    return { id, plan: undefined, refusal: rejected("unreadable-schema", detail) };
  }
}

/** Undefined if the header is another one, or the id is none that a registry gives. */
function schemaId(bytes: Buffer, start: number, end: number): number | undefined {
  if (end - start < HEADER_BYTES || bytes[start] !== MAGIC) return undefined;
  const id = bytes.readUInt32BE(start + 1);
  return id >= 1 && id <= SCHEMA_ID_MAX ? id : undefined;
}

function withoutSchema(bytes: Buffer, start: number, end: number): Decoded {
  if (end - start < HEADER_BYTES) {
    return rejected("unknown-wire-format", `${end - start} bytes, the header alone has ${HEADER_BYTES}`);
  }
  const magic = bytes[start];
  if (magic === MAGIC) return unknownSchema(bytes.readUInt32BE(start + 1));
  return rejected(
    "unknown-wire-format",
    magic === MAGIC_GUID
      ? "magic byte 1: schema GUIDs are not read; let the producer write schema ids"
      : `magic byte ${magic}, expected 0 and a schema id`,
  );
}

function unknownSchema(id: number): Decoded {
  return rejected("unknown-schema", `schema id ${id} is not in the registry`);
}
