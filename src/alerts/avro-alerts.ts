import avsc from "avsc";
import { ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA } from "./avro-schemas.ts";
import type { DetectionFinding } from "./detection-finding.ts";
import type { EcsSignal } from "./ecs-signal.ts";

const [alertType, signalType, scoredType] = [ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA].map(
  (schema) => avsc.Type.forSchema(schema as unknown as avsc.schema.RecordType),
) as [avsc.Type, avsc.Type, avsc.Type];

/** The body of a finding in Avro, without the header of a registry. */
export function findingToAvro(finding: DetectionFinding): Buffer {
  const evidences = finding.evidences.map(({ data, ...evidence }) => ({
    ...evidence,
    data: JSON.stringify(data),
  }));
  return alertType.toBuffer({ ...finding, evidences });
}

export function ecsSignalToAvro({ "@timestamp": timestamp, ...signal }: EcsSignal): Buffer {
  return signalType.toBuffer({ timestamp, ...signal });
}

/** @param line a scored login as one line of JSON */
export function scoredLoginToAvro(line: string): Buffer {
  return scoredType.toBuffer(JSON.parse(line));
}
