import { Buffer } from "node:buffer";
import { crc32 } from "node:zlib";
import avro from "avsc";
import { OddlinkError } from "../errors.ts";
import type { AlertGroup } from "./alert-groups.ts";
import { AvroWriter } from "./avro-writer.ts";
import type { HourlyBins } from "./hourly-histograms.ts";
import type { Sample } from "./hourly-samples.ts";
import type { RowValues } from "./statistics.ts";
import { LEG_ENDS, type Leg, type Story } from "./stories.ts";

/** A name that links of the segment refer to by position; kind is a position in `ENTITY_KINDS`. */
export type SegmentName = { readonly kind: number; readonly name: Buffer };

/** One link, its ends as positions in `names`, and its statistics. */
export type SegmentLink = RowValues & {
  readonly kind: number;
  /** 0 for the pair, else one more than a position in `relations`. */
  readonly relation: number;
  readonly from: number;
  readonly to: number;
  /** Minutes since the epoch, each followed by how many logins it had: of pairs of hosts, the newest minutes. */
  readonly recent: readonly number[];
};

/** What was added to a graph, or all of it, with names instead of ids. Any cut into parts has the same sum. */
export type GraphPart = {
  readonly watermarkMs: number;
  /** Event time of the very first login the engine saw: learning periods count from here. */
  readonly originMs: number;
  readonly names: readonly SegmentName[];
  readonly relations: readonly Buffer[];
  readonly links: readonly SegmentLink[];
  readonly histograms: readonly HourlyBins[];
  /** Called so since the first version. */
  readonly incidents: readonly AlertGroup[];
  readonly stories: readonly Story[];
  readonly samples: readonly Sample[];
};

/** Offsets of one input partition, `next` not included. */
export type OffsetRange = {
  readonly partition: number;
  /** Where the history of the partition begins: the first offset that was ever read of it. */
  readonly historyStart: number;
  readonly first: number;
  readonly next: number;
};

/** What says which logins a segment sums, so that each is counted once. */
export type SegmentHeader = {
  /** A segment too big for one record is written as several pieces of one group; it counts once all are there. */
  readonly group: string;
  readonly piece: number;
  readonly isLast: boolean;
  readonly ranges: readonly OffsetRange[];
  readonly watermarkMs: number;
};

/**
 * The statistics of what input partitions saw in a range of offsets: the unit of checkpoint, recovery, sharing and
 * training. Unless it is a sum of others, all its logins were added within one step of the window.
 */
export type Segment = SegmentHeader & GraphPart;

/** Names a field of an Avro record. */
const field = (name: string, type: avro.Schema) => ({ name, type });
const long = "long";

/** Comes first in every segment, so that it can be read by itself. */
const HEADER_FIELDS = [
  field("group", "string"),
  field("piece", "int"),
  field("isLast", "boolean"),
  field("ranges", {
    type: "array",
    items: {
      type: "record",
      name: "OffsetRange",
      fields: [
        field("partition", "int"),
        field("historyStart", long),
        field("first", long),
        field("next", long),
      ],
    },
  }),
  field("watermarkMs", "double"),
];

const headerType = avro.Type.forSchema({
  type: "record",
  name: "SegmentHeader",
  namespace: "oddlink",
  fields: HEADER_FIELDS,
});

/**
 * The schema of a version. Since 2 links count ticket requests, and logins are sampled; since 3 links count bursts and odd
 * logins that made them, and pairs of hosts those of their newest minutes; since 4 links count suppressed alerts; since 5 there are stories.
 */
function schemaOf(version: number): avro.Schema {
  const since = (first: number, added: avro.schema.RecordType["fields"][number]) =>
    version < first ? [] : [added];
  return {
    type: "record",
    name: "Segment",
    namespace: "oddlink",
    fields: [
      ...HEADER_FIELDS,
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
            ...since(2, { ...field("tickets", long), default: 0 }),
            field("alerts", long),
            field("firstMs", "double"),
            field("spanMs", "double"),
            field("minutes", long),
            field("days", long),
            ...since(3, { ...field("bursts", long), default: 0 }),
            ...since(3, { ...field("oddNews", long), default: 0 }),
            ...since(3, { ...field("recent", { type: "array", items: long }), default: [] }),
            ...since(4, { ...field("suppressed", long), default: 0 }),
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
            field("partition", "int"),
          ],
        },
      }),
      ...since(2, {
        name: "samples",
        type: {
          type: "array",
          items: {
            type: "record",
            name: "Sample",
            fields: [
              field("hour", long),
              field("key", long),
              field("user", "bytes"),
              field("sourceHost", "bytes"),
              field("targetHost", "bytes"),
              field("rows", "bytes"),
            ],
          },
        },
        default: [],
      }),
      ...since(5, {
        name: "stories",
        type: {
          type: "array",
          items: {
            type: "record",
            name: "Story",
            fields: [
              field("uid", "string"),
              field("channel", "string"),
              field("partition", "int"),
              field("firstMs", "double"),
              field("lastMs", "double"),
              field("alerts", long),
              field("risk", "int"),
              field("severity", "int"),
              field("closed", "int"),
              field("legs", {
                type: "array",
                items: { type: "record", name: "Leg", fields: LEG_ENDS.map((end) => field(end, "string")) },
              }),
            ],
          },
        },
        default: [],
      }),
    ],
  };
}

/** Before the Avro record: a byte that says the version, and the CRC-32 of the rest. */
const VERSION = 5;
const PREFIX_BYTES = 5;

const type = avro.Type.forSchema(schemaOf(VERSION));
/** How to read what earlier versions wrote. */
const resolvers = new Map(
  [1, 2, 3, 4].map((version) => [version, type.createResolver(avro.Type.forSchema(schemaOf(version)))]),
);

/** The published Avro schema of a segment. */
export const SEGMENT_SCHEMA: unknown = type.schema({ exportAttrs: true });

const writer = new AvroWriter();

export function encodeSegment(segment: Segment): Buffer {
  writer.reset(PREFIX_BYTES);
  writeSegment(segment);
  const bytes = Buffer.from(writer.bytes);
  bytes[0] = VERSION;
  bytes.writeUInt32BE(crc32(bytes.subarray(PREFIX_BYTES)), 1);
  return bytes;
}

/** Field by field as the schema has them, and by hand: a library that goes by the schema takes three times as long. */
function writeSegment(segment: Segment): void {
  writer.string(segment.group);
  writer.long(segment.piece);
  writer.boolean(segment.isLast);
  writer.array(segment.ranges, writeRange);
  writer.double(segment.watermarkMs);
  writer.double(segment.originMs);
  writer.array(segment.names, writeName);
  writer.array(segment.relations, writeRelation);
  writer.array(segment.links, writeLink);
  writer.array(segment.histograms, writeHistogram);
  writer.array(segment.incidents, writeAlertGroup);
  writer.array(segment.samples, writeSample);
  writer.array(segment.stories, writeStory);
}

function writeRange({ partition, historyStart, first, next }: OffsetRange): void {
  writer.long(partition);
  writer.long(historyStart);
  writer.long(first);
  writer.long(next);
}

function writeName({ kind, name }: SegmentName): void {
  writer.long(kind);
  writer.sized(name);
}

function writeRelation(name: Buffer): void {
  writer.sized(name);
}

function writeLink(link: SegmentLink): void {
  writer.long(link.kind);
  writer.long(link.relation);
  writer.long(link.from);
  writer.long(link.to);
  writer.long(link.count);
  writer.long(link.failures);
  writer.long(link.strong);
  writer.long(link.weak);
  writer.long(link.tickets);
  writer.long(link.alerts);
  writer.double(link.firstMs);
  writer.double(link.spanMs);
  writer.long(link.minutes);
  writer.long(link.days);
  writer.long(link.bursts);
  writer.long(link.oddNews);
  writer.array(link.recent, writeNumber);
  writer.long(link.suppressed);
}

function writeNumber(value: number): void {
  writer.long(value);
}

function writeHistogram({ name, hour, bins, counts }: HourlyBins): void {
  writer.string(name);
  writer.long(hour);
  writer.array(bins, writeNumber);
  writer.array(counts, writeNumber);
}

function writeAlertGroup(group: AlertGroup): void {
  writer.string(group.tier);
  writer.string(group.user);
  writer.string(group.sourceHost);
  writer.double(group.slotStartMs);
  writer.double(group.slotEndMs);
  writer.long(group.alerts);
  writer.long(group.peak);
  writer.long(group.alertedPeak);
  writer.long(group.partition);
}

function writeStory(story: Story): void {
  writer.string(story.uid);
  writer.string(story.channel);
  writer.long(story.partition);
  writer.double(story.firstMs);
  writer.double(story.lastMs);
  writer.long(story.alerts);
  writer.long(story.risk);
  writer.long(story.severity);
  writer.long(story.closed);
  writer.array(story.legs, writeLeg);
}

function writeLeg(leg: Leg): void {
  for (const end of LEG_ENDS) writer.string(leg[end]);
}

function writeSample(sample: Sample): void {
  writer.long(sample.hour);
  writer.long(sample.key);
  writer.sized(sample.user);
  writer.sized(sample.sourceHost);
  writer.sized(sample.targetHost);
  writer.sized(sample.rows);
}

/**
 * What a segment sums, without reading the rest; all bytes are checked.
 *
 * @throws {OddlinkError} SEGMENT_CORRUPT if the bytes are no segment, or not the ones that were written
 */
export function decodeSegmentHeader(bytes: Uint8Array): SegmentHeader {
  return decoded(() => headerType.decode(checked(bytes), PREFIX_BYTES).value as SegmentHeader);
}

/** @throws {OddlinkError} SEGMENT_CORRUPT if the bytes are no segment, or not the ones that were written */
export function decodeSegment(bytes: Uint8Array): Segment {
  return decoded(() => {
    const buffer = checked(bytes);
    return type.fromBuffer(buffer.subarray(PREFIX_BYTES), resolvers.get(buffer[0]!)) as Segment;
  });
}

function checked(bytes: Uint8Array): Buffer {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (buffer.length < PREFIX_BYTES) throw new Error(`it has ${buffer.length} bytes`);
  if (buffer[0] !== VERSION && !resolvers.has(buffer[0]!))
    throw new Error(`it has version ${buffer[0]}, this program reads those up to ${VERSION}`);
  if (buffer.readUInt32BE(1) !== crc32(buffer.subarray(PREFIX_BYTES)))
    throw new Error("its bytes are not the ones that were written");
  return buffer;
}

function decoded<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new OddlinkError("SEGMENT_CORRUPT", `a stored segment can't be read: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
