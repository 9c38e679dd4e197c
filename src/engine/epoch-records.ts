import { Buffer } from "node:buffer";
import { z } from "zod";
import { OddlinkError } from "../errors.ts";
import type { KeyedRecord } from "../log/port.ts";
import { decodeEpoch, type Epoch, encodeEpoch, isAccepted, shortReason } from "../model/epoch.ts";
import { gateVerdictSchema } from "../model/gate/gate-verdict.ts";

/** Bytes of an epoch in one record: below the megabyte that a Kafka record may have by default. */
const CHUNK_BYTES = 900_000;
/** Epochs of which chunks are kept in memory while their manifest has not come. */
const PENDING_MAX = 4;
/** Epochs that stay in the log: the one in force, the one before, which may come back, and one that a slow reader is at. */
export const EPOCHS_KEPT = 3;
/** Digits of the digest in a key: two publishers may give their epochs the same number, and must not mix them up. */
const KEY_DIGEST_LENGTH = 12;

/** `<number>-<digest>/<chunk>`, or `.../manifest`. Other keys are not of an epoch. */
const KEY = /^(\d{8,15})(?:-[0-9a-f]+)?\/(?:\d{6,}|manifest)$/;
const MANIFEST = "manifest";
const number = z.number().int().min(1);
/** Of the epoch; checked over its content when decoded. */
const digest = z.string();
const wholeSchema = z.strictObject({
  number,
  bytes: z.number().int().min(1).max(4e9),
  chunks: z.number().int().min(1).max(1e6),
  digest,
});
/** Of an epoch that the gate did not let pass the number and the verdict are all that is kept. */
const rejectedSchema = z.strictObject({ number, digest, gate: gateVerdictSchema });
export type RejectedEpoch = z.infer<typeof rejectedSchema>;

/** The epoch that has the highest number for everybody who has read the log so far: in force, unless it was rejected. */
export type NewestEpoch = {
  readonly number: number;
  readonly digest: string;
  /** When its manifest was written, milliseconds since the epoch; undefined where the log does not say. */
  readonly writtenAtMs: number | undefined;
};

/**
 * An epoch as keyed records: its chunks, then the manifest, which makes it valid. Of a rejected one the manifest alone: its number is
 * taken, nobody adopts it, and why is there for everybody to read.
 */
export function epochRecords(epoch: Epoch): KeyedRecord[] {
  const { number, digest, gate } = epoch.manifest;
  const prefix = prefixOf(epoch.manifest);
  const manifestRecord = (manifest: object): KeyedRecord => ({
    key: `${prefix}${MANIFEST}`,
    value: Buffer.from(JSON.stringify(manifest)),
  });
  if (!isAccepted(epoch)) return [manifestRecord({ number, digest, gate })];
  const bytes = encodeEpoch(epoch);
  const chunks: Buffer[] = [];
  for (let start = 0; start < bytes.length; start += CHUNK_BYTES)
    chunks.push(bytes.subarray(start, start + CHUNK_BYTES));
  return [
    ...chunks.map((value, chunk) => ({ key: chunkKey(prefix, chunk), value })),
    manifestRecord({ number, bytes: bytes.length, chunks: chunks.length, digest }),
  ];
}

/** @throws {OddlinkError} EPOCH_CORRUPT, or rejects with it */
export type DecodeEpoch = (bytes: Uint8Array, number: number) => Epoch | Promise<Epoch>;

/**
 * Puts epochs together as their records are read, and hands over each that is whole and newer than those before.
 *
 * Of two epochs with the same number, the one whose manifest comes first in the log is the epoch, for everybody.
 */
export class EpochReader {
  readonly #onEpoch: (epoch: Epoch) => void;
  readonly #onChallenger: ((epoch: Epoch) => void) | undefined;
  readonly #onRejected: ((rejected: RejectedEpoch) => void) | undefined;
  readonly #onUnusable: (error: Error) => void;
  readonly #decode: DecodeEpoch;
  /** While an epoch is decoded beside the event loop; and the records that came since. */
  #decoding: Promise<void> | undefined;
  #waiting: KeyedRecord[] = [];
  /** Of all that is in the log, in the order in which it was written. */
  readonly #keys = new Set<string>();
  /** Chunks by key, by what their keys begin with. */
  readonly #pending = new Map<string, Map<string, Uint8Array>>();
  #newest: NewestEpoch | undefined;
  /** Numbers of the epochs that came into force last, ascending; and of the one in the shadow. */
  #adopted: number[] = [];
  #challenger: number | undefined;

  constructor(options: {
    /** It is in force, and none is in its shadow. */
    readonly onEpoch: (epoch: Epoch) => void;
    /** It is in the shadow of the one in force, in the place of any other. */
    readonly onChallenger?: ((epoch: Epoch) => void) | undefined;
    /** The gate did not let an epoch pass; the one in force stays. */
    readonly onRejected?: ((rejected: RejectedEpoch) => void) | undefined;
    /** An epoch can't be used; the one in force stays. */
    readonly onUnusable: (error: Error) => void;
    /** At once if left out; where it takes a while, records that come meanwhile wait. */
    readonly decode?: DecodeEpoch | undefined;
  }) {
    this.#onEpoch = options.onEpoch;
    this.#onChallenger = options.onChallenger;
    this.#onRejected = options.onRejected;
    this.#onUnusable = options.onUnusable;
    this.#decode = options.decode ?? decodeEpoch;
  }

  /** All records that were read so far are taken in. */
  async settled(): Promise<void> {
    while (this.#decoding !== undefined) await this.#decoding;
  }

  get newest(): NewestEpoch | undefined {
    return this.#newest;
  }

  /** What publishes an epoch: its records, and before them the end of those that nobody needs when it is there. */
  publication(epoch: Epoch): KeyedRecord[] {
    const last = epoch.manifest.number - EPOCHS_KEPT;
    // However many were rejected since: what is in force is not deleted, nor what may come back.
    const isInForce = isAccepted(epoch) && !epoch.manifest.isChallenger;
    const adopted = isInForce ? [...this.#adopted, epoch.manifest.number] : this.#adopted;
    const kept = new Set([...adopted.slice(-EPOCHS_KEPT), this.#challenger]);
    const obsolete = [...this.#keys].filter((key) => numberOf(key)! <= last && !kept.has(numberOf(key)!));
    // Manifests first: one without all of its chunks looks like damage to who reads a log that is half compacted.
    const manifests = obsolete.filter((key) => key.endsWith(MANIFEST));
    const deleted = new Set([...manifests, ...obsolete]);
    return [...[...deleted].map((key) => ({ key, value: null })), ...epochRecords(epoch)];
  }

  read(record: KeyedRecord): void {
    if (this.#decoding !== undefined) {
      this.#waiting.push(record);
      return;
    }
    const { key, value, writtenAtMs } = record;
    const number = numberOf(key);
    if (number === undefined) return;
    const prefix = key.slice(0, key.indexOf("/") + 1);
    if (value === null) {
      this.#keys.delete(key);
      this.#pending.get(prefix)?.delete(key);
      return;
    }
    this.#keys.add(key);
    if (!key.endsWith(MANIFEST)) {
      this.#keep(prefix, number, key, value);
      return;
    }
    const chunks = this.#pending.get(prefix) ?? new Map<string, Uint8Array>();
    this.#pending.delete(prefix);
    try {
      this.#put(prefix, chunks, value, writtenAtMs);
    } catch (error) {
      this.#onUnusable(error as Error);
    }
  }

  #keep(prefix: string, number: number, key: string, value: Uint8Array): void {
    if (number <= (this.#newest?.number ?? 0)) return;
    const chunks = this.#pending.get(prefix);
    if (chunks !== undefined) {
      chunks.set(key, value);
      return;
    }
    this.#pending.set(prefix, new Map([[key, value]]));
    if (this.#pending.size > PENDING_MAX) this.#giveUp(this.#pending.keys().next().value!);
  }

  #put(
    prefix: string,
    chunks: ReadonlyMap<string, Uint8Array>,
    manifestBytes: Uint8Array,
    writtenAtMs: number | undefined,
  ): void {
    const manifest = readManifest(prefix, manifestBytes);
    const { number, digest } = manifest;
    const before = this.#newest;
    if (before !== undefined && number <= before.number) {
      if (number === before.number && digest === before.digest) return;
      throw new OddlinkError(
        "EPOCH_SUPERSEDED",
        `epoch ${number} comes after epoch ${before.number}, which stays: is there more than one trainer?`,
      );
    }
    if ("gate" in manifest) {
      this.#newest = { number, digest, writtenAtMs };
      this.#onRejected?.(manifest);
      return;
    }
    const parts = Array.from({ length: manifest.chunks }, (_, chunk) => chunks.get(chunkKey(prefix, chunk)));
    const missing = parts.filter((part) => part === undefined).length;
    if (missing > 0) throw corrupt(`epoch ${number} lacks ${missing} of its ${manifest.chunks} chunks`);
    const bytes = Buffer.concat(parts as Uint8Array[]);
    if (bytes.length !== manifest.bytes)
      throw corrupt(`epoch ${number} has ${bytes.length} bytes, its manifest says ${manifest.bytes}`);
    const decoded = this.#decode(bytes, number);
    if (!(decoded instanceof Promise)) {
      this.#take(decoded, { number, digest, writtenAtMs });
      return;
    }
    this.#decoding = decoded
      .then((epoch) => this.#take(epoch, { number, digest, writtenAtMs }))
      .catch((error: unknown) => this.#onUnusable(error as Error))
      .then(() => {
        this.#decoding = undefined;
        for (const record of this.#waiting.splice(0)) this.read(record);
      });
  }

  #take(epoch: Epoch, newest: NewestEpoch): void {
    const { number, digest } = newest;
    if (epoch.manifest.digest !== digest || epoch.manifest.number !== number)
      throw corrupt(`epoch ${number} is not the one its manifest names`);
    this.#newest = newest;
    for (const older of [...this.#pending.keys()]) if (numberOf(older)! < number) this.#giveUp(older);
    if (epoch.manifest.isChallenger) {
      this.#challenger = number;
      this.#onChallenger?.(epoch);
      return;
    }
    this.#challenger = undefined;
    this.#adopted = [...this.#adopted, number].slice(-EPOCHS_KEPT);
    this.#onEpoch(epoch);
  }

  /** Whoever wrote these chunks has not come to their manifest. */
  #giveUp(prefix: string): void {
    this.#pending.delete(prefix);
    this.#onUnusable(corrupt(`there are chunks of epoch ${numberOf(prefix)}, and no manifest`));
  }
}

function readManifest(prefix: string, bytes: Uint8Array): RejectedEpoch | z.infer<typeof wholeSchema> {
  try {
    const manifest = z.looseObject({}).parse(JSON.parse(Buffer.from(bytes).toString()));
    if (!("gate" in manifest)) return wholeSchema.parse(manifest);
    const rejected = rejectedSchema.parse(manifest);
    // Nothing else can tell that it is as it was written.
    if (rejected.gate.isAccepted || !prefix.startsWith(prefixOf(rejected)))
      throw new Error("it is not the one of its key");
    return rejected;
  } catch (error) {
    throw corrupt(`the manifest of epoch ${numberOf(prefix)} can't be read: ${shortReason(error)}`);
  }
}

function corrupt(message: string): OddlinkError {
  return new OddlinkError("EPOCH_CORRUPT", message);
}

/** The number in a key, or in what it begins with; undefined if it is none of an epoch. */
function numberOf(key: string): number | undefined {
  const match = KEY.exec(key.endsWith("/") ? `${key}${MANIFEST}` : key);
  return match === null ? undefined : Number(match[1]);
}

/** What all keys of an epoch begin with. */
function prefixOf({ number, digest }: Pick<RejectedEpoch, "number" | "digest">): string {
  return `${String(number).padStart(8, "0")}-${digest.slice(0, KEY_DIGEST_LENGTH)}/`;
}

function chunkKey(prefix: string, chunk: number): string {
  return `${prefix}${String(chunk).padStart(6, "0")}`;
}
