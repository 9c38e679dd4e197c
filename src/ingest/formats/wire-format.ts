import { Buffer } from "node:buffer";

/** Confluent's wire format of Avro: this byte, four bytes of schema id (big-endian), the body. */
export const MAGIC = 0;
export const HEADER_BYTES = 5;

export function wireFormat(schemaId: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(HEADER_BYTES, MAGIC);
  header.writeUInt32BE(schemaId, 1);
  return Buffer.concat([header, body]);
}
