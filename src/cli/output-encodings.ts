import { type AlertFormat, alertLine } from "../alerts/alert-formats.ts";
import { ecsSignalToAvro, findingToAvro, scoredLoginToAvro } from "../alerts/avro-alerts.ts";
import { ALERT_SCHEMA, ECS_SIGNAL_SCHEMA, SCORED_LOGIN_SCHEMA } from "../alerts/avro-schemas.ts";
import type { Config } from "../config/schema.ts";
import { wireFormat } from "../ingest/formats/wire-format.ts";
import { SchemaRegistry } from "../ingest/schema-registry.ts";
import { JSON_ENCODINGS, type OutputEncodings } from "../log/port.ts";
import { topicsOf } from "./kafka.ts";
import type { UntilHad } from "./waiting.ts";

const AVRO = "application/avro";
const ECS_EVENT_TYPE = "oddlink.ecs-signal";

/** What kind of event an alert is, as CloudEvents has it. */
export function eventTypeOf(format: AlertFormat): string {
  return format === "ecs" ? ECS_EVENT_TYPE : JSON_ENCODINGS.alert.eventType;
}

/**
 * How a worker writes alerts and scored logins. Schemas are registered before anything is written.
 *
 * @throws {OddlinkError} CONFIG_INVALID if the registry will not have them
 */
export async function outputEncodingsOf(config: Config, untilHad: UntilHad): Promise<OutputEncodings> {
  const { alertFormat, encoding } = config.outputs;
  const eventType = eventTypeOf(alertFormat);
  if (encoding === "json") {
    const encode = (finding: string): string => alertLine(alertFormat, finding);
    return { ...JSON_ENCODINGS, alert: { ...JSON_ENCODINGS.alert, eventType, encode } };
  }
  const topics = topicsOf(config.kafka);
  const { registers, ...options } = config.input.registry!;
  const registry = new SchemaRegistry(options);
  const idOf = async (topic: string, schema: object): Promise<number> => {
    const registration = { subject: `${topic}-value`, schema: JSON.stringify(schema), registers };
    return (await untilHad(() => registry.idOf(registration)))!;
  };
  const isEcs = alertFormat === "ecs";
  const alertSchema = isEcs ? ECS_SIGNAL_SCHEMA : ALERT_SCHEMA;
  const alertId = await idOf(topics.alerts, alertSchema);
  // Readers go by the id; the subject is for who looks at the registry.
  if (config.training.shadow) await idOf(topics.alertsShadow, alertSchema);
  const scoredId = config.outputs.scoredLogins ? await idOf(topics.scoredLogins, SCORED_LOGIN_SCHEMA) : 0;
  const toAvro = isEcs ? ecsSignalToAvro : findingToAvro;
  return {
    alert: {
      contentType: AVRO,
      eventType,
      encode: (finding) => wireFormat(alertId, toAvro(alertLine(alertFormat, finding))),
    },
    scoredLogin: {
      contentType: AVRO,
      encode: (line) => wireFormat(scoredId, scoredLoginToAvro(line)),
    },
  };
}
