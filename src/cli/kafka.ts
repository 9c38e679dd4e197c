import { randomUUID } from "node:crypto";
import { readFileSync } from "node:fs";
import { readFile } from "node:fs/promises";
import type { KafkaConfig } from "../config/kafka.ts";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { KafkaLog, type KafkaLogOptions } from "../log/kafka/kafka-log.ts";
import { KafkaTrainerLog } from "../log/kafka/kafka-trainer-log.ts";
import { KafkajsClient } from "../log/kafka/kafkajs/client.ts";
import type { KafkaClientOptions, KafkaSasl, KafkaTls } from "../log/kafka/kafkajs/connection.ts";
import { TOPIC_NAMES, type TopicNames } from "../log/kafka/produced-records.ts";
import { REAL_TIME } from "../time.ts";

/** A model may have hundreds of megabytes, and goes into one transaction. */
const EPOCH_TRANSACTION_MS = 60_000;

/** Topics in force: those that are named, and the prefix with the usual name for the others. */
export function topicsOf({ topics, topicPrefix }: KafkaConfig): TopicNames {
  const names = Object.entries(TOPIC_NAMES).map(([key, name]) => [
    key,
    topics[key as keyof TopicNames] ?? `${topicPrefix}${name}`,
  ]);
  return Object.fromEntries(names) as TopicNames;
}

/** @throws {OddlinkError} CONFIG_INVALID if a file of the TLS or SASL settings can't be read */
export function kafkaClientOptions(kafka: KafkaConfig, log: KafkaClientOptions["log"]): KafkaClientOptions {
  return {
    brokers: kafka.brokers,
    clientId: kafka.clientId,
    ssl: kafka.ssl.enabled ? tlsOf(kafka.ssl) : undefined,
    sasl: saslOf(kafka.sasl),
    sessionTimeoutMs: kafka.sessionTimeoutMs,
    compression: kafka.compression,
    log,
  };
}

/** A client of the cluster of the configuration. `onTrouble`: what goes wrong and is being dealt with. */
export function openKafkaClient(
  kafka: KafkaConfig,
  onTrouble: (message: string) => void,
  changed: Partial<KafkaClientOptions> = {},
): KafkajsClient {
  const options = kafkaClientOptions(kafka, (_, message) => onTrouble(message));
  return new KafkajsClient({ ...options, ...changed });
}

export type KafkaLogContext = Pick<KafkaLogOptions, "encodings" | "onTrouble" | "onNews" | "meter">;

/** The log on the cluster of the configuration. */
export function openKafkaLog(config: Config, context: KafkaLogContext): KafkaLog {
  const { kafka } = config;
  return new KafkaLog({
    ...context,
    client: openKafkaClient(kafka, context.onTrouble),
    time: REAL_TIME,
    group: kafka.group,
    topics: topicsOf(kafka),
    recordBytesMax: config.input.recordBytesMax,
    queueBytesMax: kafka.queueBytesMax,
    commitIntervalMs: kafka.commitIntervalMs,
    drainMs: kafka.drainMs,
    onLostInput: kafka.onLostInput,
  });
}

/** What a trainer needs of the cluster of the configuration. */
export function openKafkaTrainerLog(config: Config, onTrouble: (message: string) => void): KafkaTrainerLog {
  const { kafka } = config;
  return new KafkaTrainerLog({
    client: openKafkaClient(kafka, onTrouble, { transactionTimeoutMs: EPOCH_TRANSACTION_MS }),
    time: REAL_TIME,
    group: kafka.group,
    topics: topicsOf(kafka),
    id: randomUUID(),
    drainMs: kafka.drainMs,
    onTrouble,
  });
}

function tlsOf({ caFile, certFile, keyFile, keyPassword, serverName }: KafkaConfig["ssl"]): KafkaTls {
  return {
    ...(caFile === undefined ? {} : { ca: read("kafka.ssl.caFile", caFile) }),
    ...(certFile === undefined ? {} : { cert: read("kafka.ssl.certFile", certFile) }),
    ...(keyFile === undefined ? {} : { key: read("kafka.ssl.keyFile", keyFile) }),
    ...(keyPassword === undefined ? {} : { passphrase: keyPassword }),
    ...(serverName === undefined ? {} : { servername: serverName }),
  };
}

function saslOf({
  mechanism,
  username,
  password,
  token,
  tokenFile,
}: KafkaConfig["sasl"]): KafkaSasl | undefined {
  if (mechanism === undefined) return undefined;
  if (mechanism !== "oauthbearer") return { mechanism, username: username!, password: password! };
  return {
    mechanism,
    token: async () => token ?? (await readFile(tokenFile!, "utf8")).trim(),
  };
}

function read(setting: string, file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new OddlinkError("CONFIG_INVALID", `${setting}: can't read ${file}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
