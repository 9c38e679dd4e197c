import { Buffer } from "node:buffer";
import avro from "avsc";
import { OddlinkError } from "../errors.ts";
import type { HourlyBins } from "./hourly-histograms.ts";
import type { Incident } from "./incidents.ts";

/** A name that links of the segment refer to by position; kind is a position in `ENTITY_KINDS`. */
export type SegmentName = { readonly kind: number; readonly name: Buffer };

/** Statistics of one link; times are milliseconds, relative as the Avro schema says. */
export type SegmentLink = {
  readonly kind: number;
  /** 0 for the pair, else one more than a position in `relations`. */
  readonly relation: number;
  readonly from: number;
  readonly to: number;
  readonly count: number;
  readonly failures: number;
  readonly strong: number;
  readonly weak: number;
  readonly alerts: number;
  readonly firstMs: number;
  /** `lastMs - firstMs`. */
  readonly spanMs: number;
  readonly minutes: number;
  readonly days: number;
};

/**
 * The statistics of what one input partition saw in one offset range: the unit of checkpoint, recovery, sharing and
 * training. All its logins were added within one step of the window.
 */
export type Segment = {
  readonly partition: number;
  readonly firstOffset: number;
  readonly lastOffset: number;
  readonly watermarkMs: number;
  /** Event time of the very first login the engine saw: learning periods count from here. */
  readonly originMs: number;
  readonly names: readonly SegmentName[];
  readonly relations: readonly Buffer[];
  readonly links: readonly SegmentLink[];
  readonly histograms: readonly HourlyBins[];
  readonly incidents: readonly Incident[];
};

/** Names a field of an Avro record. */
const field = (name: string, type: avro.Schema) => ({ name, type });
const long = "long";

const type = avro.Type.forSchema({
  type: "record",
  name: "Segment",
  namespace: "oddlink",
  fields: [
    field("partition", "int"),
    field("firstOffset", long),
    field("lastOffset", long),
    field("watermarkMs", "double"),
    field("originMs", "double"),
    field("names", {
      type: "array",
      items: { type: "record", name: "Name", fields: [field("kind", "int"), field("name", "bytes")] },
    }),
    field("relations", { type: "array", items: "bytes" }),
    field("links", {
      type: "array",
      items: {
        type: "record",
        name: "Link",
        fields: [
          field("kind", "int"),
          field("relation", "int"),
          field("from", "int"),
          field("to", "int"),
          field("count", long),
          field("failures", long),
          field("strong", long),
          field("weak", long),
          field("alerts", long),
          field("firstMs", "double"),
          field("spanMs", "double"),
          field("minutes", long),
          field("days", long),
        ],
      },
    }),
    field("histograms", {
      type: "array",
      items: {
        type: "record",
        name: "HourlyBins",
        fields: [
          field("name", "string"),
          field("hour", long),
          field("bins", { type: "array", items: "int" }),
          field("counts", { type: "array", items: long }),
        ],
      },
    }),
    field("incidents", {
      type: "array",
      items: {
        type: "record",
        name: "Incident",
        fields: [
          field("tier", "string"),
          field("user", "string"),
          field("sourceHost", "string"),
          field("slotStartMs", "double"),
          field("slotEndMs", "double"),
          field("alerts", long),
          field("peak", long),
          field("alertedPeak", long),
        ],
      },
    }),
  ],
});

/** The published Avro schema of a segment. */
export const SEGMENT_SCHEMA: unknown = type.schema();

/** A segment of 10,000 logins takes some 500 kB; ten times that stays below one Kafka record of 10 MB. */
export function encodeSegment(segment: Segment): Buffer {
  return type.toBuffer(segment);
}

/** @throws {OddlinkError} SEGMENT_CORRUPT if the bytes are no segment */
export function decodeSegment(bytes: Uint8Array): Segment {
  try {
    return type.fromBuffer(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)) as Segment;
  } catch (error) {
    throw new OddlinkError("SEGMENT_CORRUPT", `a stored segment can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
