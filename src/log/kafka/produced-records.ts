import {
  type Commit,
  type DeadLetter,
  JSON_ENCODINGS,
  type KeyedRecord,
  type OutputEncodings,
  type RecordMetadata,
} from "../port.ts";
import type { KafkaHeaders, ProducedRecord } from "./client.ts";
import { traceHeaders } from "./trace-context.ts";

/** Header of a record that was a dead letter before: partition/offset of that one. Kept if it becomes one again. */
export const REPLAYED_FROM = "oddlink-replayed-from";

/** Header of an alert that a rule suppresses: the rule's id. */
export const SUPPRESSED_BY = "oddlink-suppressed-by";

/** Header of what is no alert, but says that its incident is closed. */
export const CLOSES = "oddlink-closes-incident";

/** Header of what a canary sends, and of its alert: an id. Nobody is to be told of either. */
export const CANARY = "oddlink-canary";

/** Names of oddlink's topics; `logins` is the one that is read. */
export type TopicNames = {
  readonly logins: string;
  readonly alerts: string;
  readonly alertsShadow: string;
  readonly scoredLogins: string;
  readonly entityRisk: string;
  readonly deadLetters: string;
  readonly graphState: string;
  readonly epochs: string;
  readonly verdicts: string;
};

/** What they are called unless somebody says otherwise; a prefix comes before each. */
export const TOPIC_NAMES: TopicNames = {
  logins: "logins",
  alerts: "alerts",
  alertsShadow: "alerts-shadow",
  scoredLogins: "scored-logins",
  entityRisk: "entity-risk",
  deadLetters: "dead-letters",
  graphState: "graph-state",
  epochs: "epochs",
  verdicts: "verdicts",
};

/** Everything a commit writes, as records of one transaction. */
export function* producedRecords(
  commit: Commit,
  topics: TopicNames,
  { alert: alertEncoding, scoredLogin }: OutputEncodings = JSON_ENCODINGS,
): Generator<ProducedRecord> {
  const { partition } = commit;
  const originOf = (offset: number): KafkaHeaders => originHeaders(topics.logins, partition, offset);
  const alerts = [
    ...commit.alerts.map((alert) => ({ topic: topics.alerts, ...alert })),
    ...(commit.alertsShadow ?? []).map((alert) => ({ topic: topics.alertsShadow, ...alert })),
  ];
  for (const {
    topic,
    uid,
    incidentUid,
    timeMs,
    finding,
    offset,
    suppressedBy,
    isClosing,
    canary,
    trace,
  } of alerts) {
    yield {
      topic,
      key: incidentUid,
      value: asValue(alertEncoding.encode(finding)),
      headers: {
        ...originOf(offset),
        "content-type": alertEncoding.contentType,
        // CloudEvents 1.0 in its binary mode.
        ce_specversion: "1.0",
        ce_id: uid,
        ce_source: `/${topics.logins}/${partition}`,
        ce_type: alertEncoding.eventType,
        ce_time: new Date(timeMs).toISOString(),
        ...(suppressedBy !== undefined && { [SUPPRESSED_BY]: suppressedBy }),
        ...(isClosing && { [CLOSES]: incidentUid }),
        ...(canary !== undefined && { [CANARY]: canary }),
        ...traceHeaders(trace),
      },
    };
  }
  for (const { user, line, offset, trace } of commit.scoredLogins) {
    yield {
      topic: topics.scoredLogins,
      key: user,
      value: asValue(scoredLogin.encode(line)),
      headers: { ...originOf(offset), "content-type": scoredLogin.contentType, ...traceHeaders(trace) },
    };
  }
  for (const record of commit.entityRisks ?? [])
    yield {
      ...keyedRecord(topics.entityRisk, undefined, record),
      headers: { "content-type": "application/json" },
    };
  for (const deadLetter of commit.deadLetters)
    yield deadLetterRecord(deadLetter, topics.logins, topics.deadLetters);
  for (const record of commit.graphState) yield keyedRecord(topics.graphState, partition, record);
  for (const record of commit.epochs) yield keyedRecord(topics.epochs, 0, record);
}

/** @param partition undefined lets the key decide */
export function keyedRecord(
  topic: string,
  partition: number | undefined,
  { key, value }: KeyedRecord,
): ProducedRecord {
  return {
    topic,
    ...(partition !== undefined && { partition }),
    key,
    value: value === null ? null : asBuffer(value),
  };
}

/** Where a record comes from. */
export function originHeaders(topic: string, partition: number, offset: number): KafkaHeaders {
  return {
    "oddlink-source-topic": topic,
    "oddlink-source-partition": String(partition),
    "oddlink-source-offset": String(offset),
  };
}

/** @param source topic that the record was read from */
export function deadLetterRecord(
  { partition, offset, reason, detail, bytes, metadata }: DeadLetter,
  source: string,
  deadLetters: string,
): ProducedRecord {
  return {
    topic: deadLetters,
    key: metadata.key,
    value: asBuffer(bytes),
    headers: {
      ...originHeaders(source, partition, offset),
      ...timestampOf(metadata),
      ...replayOf(metadata),
      ...traceHeaders(metadata.trace),
      "oddlink-reason": reason,
      "oddlink-error-class": reason === "scoring-failed" ? "bug" : "data",
      "oddlink-detail": detail,
    },
  };
}

function timestampOf({ timestampMs }: RecordMetadata): KafkaHeaders {
  return timestampMs === undefined ? {} : { "oddlink-source-timestamp-ms": String(timestampMs) };
}

export function replayOf({ replayedFrom }: RecordMetadata): KafkaHeaders {
  return replayedFrom === undefined ? {} : { [REPLAYED_FROM]: replayedFrom };
}

function asValue(encoded: Uint8Array | string): Buffer | string {
  return typeof encoded === "string" ? encoded : asBuffer(encoded);
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
