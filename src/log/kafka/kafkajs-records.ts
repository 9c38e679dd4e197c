import { Buffer } from "node:buffer";
import type { ConsumedRecord, KafkaHeaders } from "./client.ts";
import type { FetchedRecord } from "./kafkajs-internals.ts";

const NO_HEADERS: KafkaHeaders = Object.freeze({});

type Fetched = Omit<FetchedRecord, "isControlRecord" | "headers"> & {
  readonly headers?: FetchedRecord["headers"] | undefined;
};

export function toConsumedRecord(record: Fetched): ConsumedRecord {
  return {
    offset: Number(record.offset),
    timestampMs: Number(record.timestamp),
    key: record.key,
    value: record.value,
    headers: toHeaders(record.headers),
  };
}

/** Of headers with the same name the last one counts, as for most readers of Kafka; one without a value is left out. */
function toHeaders(headers: FetchedRecord["headers"] | undefined): KafkaHeaders {
  const entries = Object.entries(headers ?? NO_HEADERS);
  if (entries.length === 0) return NO_HEADERS;
  return Object.fromEntries(
    entries.flatMap(([name, value]) => {
      const last = Array.isArray(value) ? value.at(-1) : value;
      return last === undefined || last === null
        ? []
        : [[name, typeof last === "string" ? Buffer.from(last) : last]];
    }),
  );
}
