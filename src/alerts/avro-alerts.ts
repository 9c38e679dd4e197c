import avsc from "avsc";
import { ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA } from "./avro-schemas.ts";
import type { DetectionFinding } from "./detection-finding.ts";
import type { EcsSignal } from "./ecs-signal.ts";

const [alertType, signalType, scoredType] = [ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA].map(
  (schema) => avsc.Type.forSchema(schema as unknown as avsc.schema.RecordType),
) as [avsc.Type, avsc.Type, avsc.Type];

/**
 * The body of a finding in Avro, without the header of a registry.
 *
 * @param line the finding as one line of JSON
 */
export function findingToAvro(line: string): Buffer {
  const finding = parse<DetectionFinding>(line);
  const evidences = finding.evidences.map(({ data, ...evidence }) => ({
    ...evidence,
    data: JSON.stringify(data),
  }));
  // What closes an incident has none.
  return alertType.toBuffer({ ...finding, evidences, anomaly_analyses: finding.anomaly_analyses ?? [] });
}

/** @param line a signal as one line of JSON */
export function ecsSignalToAvro(line: string): Buffer {
  const { "@timestamp": timestamp, ...signal } = parse<EcsSignal>(line);
  return signalType.toBuffer({ timestamp, ...signal });
}

/** @param line a scored login as one line of JSON */
export function scoredLoginToAvro(line: string): Buffer {
  return scoredType.toBuffer(parse(line));
}

/** JSON can hold halves of characters, which UTF-8 has not: avsc would write bytes that no other reader takes. */
function parse<T>(line: string): T {
  return JSON.parse(line, (_, value) => (typeof value === "string" ? value.toWellFormed() : value)) as T;
}
