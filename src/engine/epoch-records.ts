import { Buffer } from "node:buffer";
import { z } from "zod";
import { OddlinkError } from "../errors.ts";
import type { KeyedRecord } from "../log/port.ts";
import { decodeEpoch, type Epoch, encodeEpoch } from "../model/epoch.ts";

/** Bytes of an epoch in one record: below the megabyte that a Kafka record may have by default. */
const CHUNK_BYTES = 900_000;
/** Epochs of which chunks are kept in memory while their manifest has not come. */
const PENDING_MAX = 4;

const MANIFEST = "manifest";
const manifestSchema = z.strictObject({
  number: z.number().int().min(1),
  bytes: z.number().int().min(1).max(4e9),
  chunks: z.number().int().min(1),
  /** Of the epoch; checked over its content when decoded. */
  digest: z.string(),
});

/** An epoch as keyed records: its chunks, then the manifest, which makes it valid. */
export function epochRecords(epoch: Epoch): KeyedRecord[] {
  const { number, digest } = epoch.manifest;
  const bytes = encodeEpoch(epoch);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
    chunks.push(bytes.subarray(start, start + CHUNK_BYTES));
  const manifest = { number, bytes: bytes.length, chunks: chunks.length, digest };
  return [
    ...chunks.map((value, chunk) => ({ key: chunkKey(number, chunk), value })),
    { key: `${prefixOf(number)}${MANIFEST}`, value: Buffer.from(JSON.stringify(manifest)) },
  ];
}

/** Puts epochs together as their records are read, and hands over each that is whole and newer than those before. */
export class EpochReader {
  readonly #onEpoch: (epoch: Epoch) => void;
  readonly #onUnusable: (error: Error) => void;
  readonly #pending = new Map<string, Map<string, Uint8Array>>();
  #newest = 0;

  constructor(options: {
    readonly onEpoch: (epoch: Epoch) => void;
    /** An epoch can't be used; the one in force stays. */
    readonly onUnusable: (error: Error) => void;
  }) {
    this.#onEpoch = options.onEpoch;
    this.#onUnusable = options.onUnusable;
  }

  read({ key, value }: KeyedRecord): void {
    if (value === null) return;
    const separator = key.indexOf("/");
    const prefix = key.slice(0, separator + 1);
    const name = key.slice(separator + 1);
    let chunks = this.#pending.get(prefix);
    if (chunks === undefined) {
      chunks = new Map();
      this.#pending.set(prefix, chunks);
      if (this.#pending.size > PENDING_MAX) this.#pending.delete(this.#pending.keys().next().value!);
    }
    if (name !== MANIFEST) {
      chunks.set(key, value);
      return;
    }
    this.#pending.delete(prefix);
    try {
      this.#put(chunks, value);
    } catch (error) {
      this.#onUnusable(error as Error);
    }
  }

  #put(chunks: ReadonlyMap<string, Uint8Array>, manifestBytes: Uint8Array): void {
    const manifest = manifestSchema.parse(JSON.parse(Buffer.from(manifestBytes).toString()));
    const { number } = manifest;
    if (number <= this.#newest) return;
    const parts = Array.from({ length: manifest.chunks }, (_, chunk) => chunks.get(chunkKey(number, chunk)));
    if (parts.some((part) => part === undefined))
      throw new OddlinkError("EPOCH_CORRUPT", `epoch ${number} lacks some of its ${manifest.chunks} chunks`);
    const bytes = Buffer.concat(parts as Uint8Array[]);
    if (bytes.length !== manifest.bytes) {
      throw new OddlinkError(
        "EPOCH_CORRUPT",
        `epoch ${number} has ${bytes.length} bytes, its manifest says ${manifest.bytes}`,
      );
    }
    const epoch = decodeEpoch(bytes);
    if (epoch.manifest.digest !== manifest.digest || epoch.manifest.number !== number)
      throw new OddlinkError("EPOCH_CORRUPT", `epoch ${number} is not the one its manifest names`);
    this.#newest = number;
    this.#onEpoch(epoch);
  }
}

function prefixOf(number: number): string {
  return `${String(number).padStart(8, "0")}/`;
}

function chunkKey(number: number, chunk: number): string {
  return `${prefixOf(number)}${String(chunk).padStart(6, "0")}`;
}
