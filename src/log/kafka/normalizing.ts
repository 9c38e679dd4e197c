import type { Buffer } from "node:buffer";
import { type Decoded, type IgnoreReason, type RejectReason, rejected } from "../../ingest/decoded.ts";
import type { Decoder } from "../../ingest/formats/format.ts";
import { type LoginBytes, USER } from "../../ingest/login-bytes.ts";
import type { EncodeLogin } from "../../ingest/login-encoding.ts";
import { unreadable } from "../../ingest/unreadable.ts";
import type { ConsumedRecord, ProducedRecord } from "./client.ts";
import { KafkaBatch } from "./kafka-batch.ts";
import { deadLetterRecord, originHeaders, replayOf } from "./produced-records.ts";
import { traceHeaders } from "./trace-context.ts";

/** Of what a bug says, the dead letter holds so many characters. */
const BUG_LENGTH_MAX = 300;

/** What became of the records of a topic: consumed is the sum of the others. */
export type NormalizedCounts = {
  consumed: number;
  login: number;
  evidence: number;
  readonly ignored: Partial<Record<IgnoreReason, number>>;
  readonly rejected: Partial<Record<RejectReason, number>>;
};

export type NormalizerOptions = {
  /** The raw topic. */
  readonly topic: string;
  readonly logins: string;
  readonly deadLetters: string;
  readonly recordBytesMax: number;
  readonly createDecoder: () => Decoder;
  readonly encode: EncodeLogin;
  /** Waits until what a decoder needs can be had, for as long as that takes. */
  readonly untilHad: (ask: () => Promise<void> | undefined) => Promise<void>;
  /** A record brought out a bug, and becomes a dead letter. */
  readonly onBug: (error: Error, partition: number, offset: number) => void;
};

/**
 * Makes canonical logins of the records of one raw topic, one record each, keyed by user, so that all of a user's logins are in one
 * partition; what can't be read becomes a dead letter, and what is no login is counted.
 *
 * It keeps nothing but its counts and what a format remembers of a partition (a year, the columns of a file).
 */
export class Normalizer {
  readonly counts: NormalizedCounts = { consumed: 0, login: 0, evidence: 0, ignored: {}, rejected: {} };
  readonly #options: NormalizerOptions;
  /** Of each partition. */
  readonly #decoders = new Map<number, Decoder>();

  constructor(options: NormalizerOptions) {
    this.#options = options;
  }

  async map(record: ConsumedRecord, partition: number): Promise<readonly ProducedRecord[]> {
    const { counts } = this;
    const { topic, logins, deadLetters, recordBytesMax, encode, untilHad } = this.#options;
    const batch = new KafkaBatch([record], recordBytesMax);
    const bytes = batch.bufferOf(0);
    const metadata = batch.metadataOf(0);
    const { offset } = record;
    counts.consumed++;
    if (bytes.length === 0) {
      count(counts.ignored, "blank-line");
      return [];
    }
    const decoder = this.#decoderOf(partition);
    await untilHad(() => decoder.prepare?.(bytes, 0, bytes.length));
    const decoded = this.#decode(decoder, batch, partition, encode);
    if (decoded.kind === "ignored") {
      count(counts.ignored, decoded.reason);
      return [];
    }
    if (decoded.kind === "rejected") {
      const { reason, detail } = decoded;
      count(counts.rejected, reason);
      return [deadLetterRecord({ partition, offset, reason, detail, bytes, metadata }, topic, deadLetters)];
    }
    counts[decoded.kind]++;
    const headers = {
      ...originHeaders(topic, partition, offset),
      ...replayOf(metadata),
      ...traceHeaders(metadata.trace),
    };
    return [{ topic: logins, key: decoded.user, value: decoded.value, headers }];
  }

  #decoderOf(partition: number): Decoder {
    let decoder = this.#decoders.get(partition);
    if (decoder === undefined) {
      decoder = this.#options.createDecoder();
      this.#decoders.set(partition, decoder);
    }
    return decoder;
  }

  #decode(decoder: Decoder, batch: KafkaBatch, partition: number, encode: EncodeLogin): Normalized {
    const bytes = batch.bufferOf(0);
    try {
      const isSound = decoder.isBinary?.(bytes, 0, bytes.length) === true;
      const decoded: Decoded =
        unreadable(bytes, 0, bytes.length, { cutFrom: batch.cutFrom(0), isSound }) ??
        decoder.decode(bytes, 0, bytes.length);
      if (decoded.kind === "ignored" || decoded.kind === "rejected") return decoded;
      return written(decoded.kind, decoded.login, encode);
    } catch (error) {
      // A record must not stop all that follow it because of a bug.
      this.#options.onBug(error as Error, partition, batch.offsetOf(0));
      const { name, message } = error as Error;
      return rejected("scoring-failed", `${name}: ${message}`.slice(0, BUG_LENGTH_MAX));
    }
  }
}

type Normalized =
  | Extract<Decoded, { readonly kind: "ignored" | "rejected" }>
  | { readonly kind: "login" | "evidence"; readonly user: string; readonly value: Buffer };

function written(kind: "login" | "evidence", login: LoginBytes, encode: EncodeLogin): Normalized {
  return { kind, user: login.text(USER), value: encode(login, kind) };
}

function count<Reason extends string>(counts: Partial<Record<Reason, number>>, reason: Reason): void {
  counts[reason] = (counts[reason] ?? 0) + 1;
}
