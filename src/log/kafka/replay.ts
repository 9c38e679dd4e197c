import { OddlinkError } from "../../errors.ts";
import type { Time } from "../../time.ts";
import type { ConsumedRecord, KafkaClient, ProducedRecord } from "./client.ts";
import type { ReadRecords } from "./kafkajs/queries.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { REPLAYED_FROM } from "./produced-records.ts";

/** Records and bytes of one transaction. */
const TRANSACTION_RECORDS_MAX = 500;
const TRANSACTION_BYTES_MAX = 4 * 1024 * 1024;
/** What a reason looks like; whatever else somebody wrote into the header is none. */
const REASON = /^[a-z][a-z0-9-]{0,59}$/;
/** The reason of a dead letter that names none. */
export const NO_REASON = "unknown";

export type ReplayOptions = {
  readonly client: KafkaClient & {
    read(topic: string, partition: number, offset: number): Promise<ReadRecords>;
  };
  readonly time: Time;
  /** The workers' group. Each reason has a position in a group of its own, which begins with this. */
  readonly group: string;
  readonly deadLetters: string;
  /** Topics that records go back to, each to the one that it came from, unless `to` says another one for all. */
  readonly homes: readonly string[];
  readonly to: string | undefined;
  /** Reasons that are sent again; all if there are none. */
  readonly reasons: readonly string[];
  /** Dead letters that were written before are passed over, for good. */
  readonly sinceMs: number | undefined;
  readonly isDryRun: boolean;
  readonly signal: AbortSignal;
  readonly onTrouble: (message: string) => void;
};

export type ReasonCount = {
  /** Dead letters to be sent; those that were sent, if it was no dry run and was not stopped. */
  readonly sent: number;
  /** Of these, those that had been sent before and came back. */
  readonly replayedBefore: number;
  /** Written before `sinceMs`. */
  readonly passedOver: number;
};

/** A dead letter, with what its headers say. */
export type DeadLetter = {
  readonly record: ConsumedRecord;
  readonly reason: string;
  readonly sourceTopic: string | undefined;
  readonly sourcePartition: number | undefined;
  readonly isReplayed: boolean;
};

type Place = { readonly partition: number; readonly low: number; readonly end: number };

/** Which dead letters of one reason and partition go into the next transaction. */
type Lane = {
  readonly writer: PartitionWriter;
  readonly committed: number;
  records: ProducedRecord[];
  bytes: number;
  /** Where the position goes: past everything of this reason that was looked at. */
  next: number;
  pending: { sent: number; replayedBefore: number; passedOver: number };
};

/** A group for each reason: who has sent those of one reason again can do so with another one later. */
export function replayGroup(group: string, reason: string): string {
  return `${group}-replay-${reason}`;
}

export function readDeadLetter(record: ConsumedRecord): DeadLetter {
  const text = (name: string): string | undefined => record.headers[name]?.toString();
  const reason = text("oddlink-reason") ?? "";
  const partition = text("oddlink-source-partition") ?? "";
  return {
    record,
    reason: REASON.test(reason) ? reason : NO_REASON,
    sourceTopic: text("oddlink-source-topic"),
    sourcePartition: /^\d{1,9}$/.test(partition) ? Number(partition) : undefined,
    isReplayed: record.headers[REPLAYED_FROM] !== undefined,
  };
}

/** The dead letter as it was read: value and key are untouched, and it goes to the partition that it came from. */
export function replayedRecord(
  { record, sourceTopic, sourcePartition }: DeadLetter,
  partition: number,
  to: string,
  partitionsOfTarget: number,
): ProducedRecord {
  const isHome = to === sourceTopic && sourcePartition !== undefined && sourcePartition < partitionsOfTarget;
  return {
    topic: to,
    ...(isHome ? { partition: sourcePartition } : {}),
    key: record.key,
    value: record.value,
    headers: { [REPLAYED_FROM]: `${partition}/${record.offset}` },
  };
}

/**
 * Sends dead letters that were not sent yet back to where they came from, each exactly once: their records and how far each
 * reason has come go into one transaction. A transactional id for each reason and partition shuts an earlier replay out
 * that is still at it.
 *
 * The topic is read twice: before anything is sent it must be known that all of it may go where it would.
 *
 * @throws {OddlinkError} USAGE if some come from another topic and `to` is not given: nothing was sent then
 */
export async function replayDeadLetters(options: ReplayOptions): Promise<ReadonlyMap<string, ReasonCount>> {
  const { client, deadLetters, homes, to, isDryRun, signal } = options;
  const places = (await client.topicOffsets(deadLetters)).map(({ partition, low, stable }) => ({
    partition,
    low,
    end: stable,
  }));
  const counts = new Map<string, ReasonCount>();
  const strangers = new Map<string, number>();
  const reasonsOf = new Map<number, Set<string>>();
  for (const place of places) {
    const positions = new Map<string, number>();
    for await (const letter of lettersOf(options, place, place.low)) {
      const { reason, record } = letter;
      if (!isChosen(options, reason)) continue;
      const position = positions.get(reason) ?? (await committedOf(options, reason, place.partition));
      positions.set(reason, position);
      if (record.offset < position) continue;
      reasonsOf.set(place.partition, (reasonsOf.get(place.partition) ?? new Set()).add(reason));
      const isOld = isTooOld(options, record);
      if (isDryRun) count(counts, reason, countOf(letter, isOld));
      const topic = letter.sourceTopic ?? "no topic";
      if (!isOld && !homes.includes(topic)) strangers.set(topic, (strangers.get(topic) ?? 0) + 1);
    }
  }
  if (strangers.size > 0 && to === undefined) {
    const found = [...strangers].map(([topic, number]) => `${number} of ${topic}`).join(", ");
    throw new OddlinkError(
      "USAGE",
      `nothing was sent: some dead letters are not of ${homes.join(", ")} (${found}); name raw topics in normalize.topics, say with --to TOPIC where all are to go, or choose reasons`,
    );
  }
  if (isDryRun) return counts;
  const partitionsOf = new Map<string, number>();
  for (const topic of to === undefined ? homes : [to])
    partitionsOf.set(topic, (await client.topicOffsets(topic)).length);
  for (const place of places) {
    const reasons = reasonsOf.get(place.partition);
    if (reasons !== undefined && !signal.aborted)
      await sendPartition(options, place, reasons, partitionsOf, counts);
  }
  return counts;
}

async function sendPartition(
  options: ReplayOptions,
  place: Place,
  reasons: ReadonlySet<string>,
  partitionsOf: ReadonlyMap<string, number>,
  counts: Map<string, ReasonCount>,
): Promise<void> {
  const { signal, to } = options;
  const lanes = new Map<string, Lane>();
  try {
    for (const reason of reasons) lanes.set(reason, await openLane(options, place, reason));
    const start = Math.min(...[...lanes.values()].map(({ committed }) => committed));
    for await (const letter of lettersOf(options, place, Math.max(start, place.low))) {
      if (signal.aborted) break;
      const lane = lanes.get(letter.reason);
      const { record } = letter;
      if (lane === undefined || record.offset < lane.committed) continue;
      const isOld = isTooOld(options, record);
      const { sent, replayedBefore, passedOver } = countOf(letter, isOld);
      lane.pending.sent += sent;
      lane.pending.replayedBefore += replayedBefore;
      lane.pending.passedOver += passedOver;
      lane.next = record.offset + 1;
      if (isOld) continue;
      const target = to ?? letter.sourceTopic!;
      lane.records.push(replayedRecord(letter, place.partition, target, partitionsOf.get(target) ?? 0));
      lane.bytes += (record.value?.length ?? 0) + (record.key?.length ?? 0);
      if (lane.records.length >= TRANSACTION_RECORDS_MAX || lane.bytes >= TRANSACTION_BYTES_MAX)
        await flush(lane, letter.reason, counts);
    }
    // Also after a signal: what was read is sent, and the next call goes on from there.
    for (const [reason, lane] of lanes) await flush(lane, reason, counts);
  } finally {
    for (const { writer } of lanes.values()) await writer.close();
  }
}

async function openLane(options: ReplayOptions, { partition, low }: Place, reason: string): Promise<Lane> {
  const { client, time, deadLetters, group, signal, onTrouble } = options;
  const ownGroup = replayGroup(group, reason);
  const writer = new PartitionWriter({
    client,
    time,
    transactionalId: `${ownGroup}-${deadLetters}-${partition}`,
    group: ownGroup,
    topic: deadLetters,
    partition,
    // In no group, so nobody takes it: another replay shuts this one out, and the position says which of them has sent.
    owns: () => Promise.resolve(true),
    isGivenUp: () => signal.aborted,
    onTrouble,
  });
  const committed = (await writer.acquire()) ?? low;
  return {
    writer,
    committed,
    records: [],
    bytes: 0,
    next: committed,
    pending: { sent: 0, replayedBefore: 0, passedOver: 0 },
  };
}

async function flush(lane: Lane, reason: string, counts: Map<string, ReasonCount>): Promise<void> {
  const { sent, passedOver } = lane.pending;
  if (sent + passedOver === 0) return;
  if ((await lane.writer.commit(lane.records, lane.next)) === "lost")
    throw new OddlinkError(
      "STOPPED",
      "another replay has taken over, or this one was stopped before an outcome was known; call it again to go on",
    );
  count(counts, reason, lane.pending);
  lane.records = [];
  lane.bytes = 0;
  lane.pending = { sent: 0, replayedBefore: 0, passedOver: 0 };
}

async function* lettersOf(
  { client, deadLetters, signal }: ReplayOptions,
  { partition, end }: Place,
  start: number,
): AsyncGenerator<DeadLetter> {
  for (let offset = start; offset < end && !signal.aborted; ) {
    const { records, position } = await client.read(deadLetters, partition, offset);
    for (const record of records) if (record.offset < end) yield readDeadLetter(record);
    offset = position;
  }
}

async function committedOf(options: ReplayOptions, reason: string, partition: number): Promise<number> {
  const { client, group, deadLetters } = options;
  const [committed] = await client.committedOffsets(replayGroup(group, reason), deadLetters, [partition]);
  return committed ?? 0;
}

function isChosen({ reasons }: ReplayOptions, reason: string): boolean {
  return reasons.length === 0 || reasons.includes(reason);
}

function isTooOld({ sinceMs }: ReplayOptions, { timestampMs }: ConsumedRecord): boolean {
  return sinceMs !== undefined && timestampMs < sinceMs;
}

function countOf({ isReplayed }: DeadLetter, isOld: boolean): ReasonCount {
  return isOld
    ? { sent: 0, replayedBefore: 0, passedOver: 1 }
    : { sent: 1, replayedBefore: isReplayed ? 1 : 0, passedOver: 0 };
}

function count(counts: Map<string, ReasonCount>, reason: string, more: ReasonCount): void {
  const before = counts.get(reason) ?? { sent: 0, replayedBefore: 0, passedOver: 0 };
  counts.set(reason, {
    sent: before.sent + more.sent,
    replayedBefore: before.replayedBefore + more.replayedBefore,
    passedOver: before.passedOver + more.passedOver,
  });
}
