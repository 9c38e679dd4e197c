import { setTimeout as sleep } from "node:timers/promises";
import type { ConnectionOptions } from "node:tls";
import {
  Kafka,
  type KafkaConfig,
  logLevel,
  type Mechanism,
  type RetryOptions,
  type SASLOptions,
} from "kafkajs";
import { OddlinkError } from "../../../errors.ts";
import { bearerMechanism } from "./bearer.ts";
import { BrokerReach } from "./broker-reach.ts";
import { clustersOf, type KafkaClusters } from "./clusters.ts";
import type { CodecName } from "./codecs.ts";
import { patchKafkajs } from "./patches.ts";
import { wordsFor } from "./words.ts";

type Login = { readonly username: string; readonly password: string };

export type KafkaSasl =
  | ({ readonly mechanism: "plain" } & Login)
  | ({ readonly mechanism: "scram-sha-256" } & Login)
  | ({ readonly mechanism: "scram-sha-512" } & Login)
  | {
      readonly mechanism: "oauthbearer";
      /** Asked for a token that is good at the moment, at each new connection; keeps and renews them itself. */
      readonly token: () => Promise<string>;
    };

export type KafkaTls = Pick<ConnectionOptions, "ca" | "cert" | "key" | "passphrase" | "pfx" | "servername">;

/** No errors: what can be tried again is a warning, and what is final comes as an error from what was called. */
export type KafkaLogLevel = "warn" | "info";

export type CompressionName = "none" | CodecName;

export type KafkaClientOptions = {
  /** Addresses as "host:port"; the others of the cluster are found through them. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  /** True takes the certificate authorities that Node knows. */
  readonly ssl?: boolean | KafkaTls | undefined;
  readonly sasl?: KafkaSasl | undefined;
  /** A member that is silent for this long has left the group: the time to recover from a killed worker. 6000. */
  readonly sessionTimeoutMs?: number | undefined;
  /** 100. */
  readonly heartbeatMs?: number | undefined;
  /** How long the group waits for its members when partitions are given out anew. 10,000. */
  readonly rebalanceTimeoutMs?: number | undefined;
  /** The broker gives up a transaction that is open for longer, and readers see what comes after it. 10,000. */
  readonly transactionTimeoutMs?: number | undefined;
  /** A connection that leaves a request without an answer for longer is dropped. 10,000. */
  readonly requestTimeoutMs?: number | undefined;
  /** Of records written; those that are read may have any. "none". */
  readonly compression?: CompressionName | undefined;
  /** Gets what an operator should know, without credentials and records. Left out, nobody does: nothing is ever printed. */
  readonly log?: ((level: KafkaLogLevel, message: string) => void) | undefined;
};

/** kafkajs waits for 300 ms before it tries anything again. This gives up after about eight seconds; see `BrokerReach`. */
export const RETRY: RetryOptions = { initialRetryTime: 5, maxRetryTime: 200, retries: 40 };

export const REQUEST_TIMEOUT_MS = 10_000;
/** A TLS handshake with a broker that has just started takes long on a busy machine. */
const CONNECTION_TIMEOUT_MS = 5000;

export type OpenKafka = { readonly kafka: Kafka; readonly clusters: KafkaClusters };

/** To be shared by all that a client opens. */
export function reachFor({ log }: KafkaClientOptions): BrokerReach {
  return new BrokerReach({
    monotonicMs: () => performance.now(),
    sleep,
    onLost: (broker, reason, hasAnswered) => {
      const what = hasAnswered ? "waiting for it, nothing is lost" : "trying again";
      log?.("warn", `broker ${broker} can't be reached (${reason}); ${what}`);
    },
    onReached: (broker, lostMs) =>
      log?.("info", `broker ${broker} is reached again, after ${Math.round(lostMs / 1000)} s`),
  });
}

/**
 * A kafkajs that is mended and says nothing by itself. Each member of a group needs its own: those of one share a cache of
 * committed offsets, which each clears at its rebalances. And what is sealed is all of one.
 */
export function openKafka(options: KafkaClientOptions, reach: BrokerReach = reachFor(options)): OpenKafka {
  patchKafkajs();
  const config: KafkaConfig = {
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: CONNECTION_TIMEOUT_MS,
    requestTimeout: options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS,
    retry: RETRY,
    logLevel: logLevel.WARN,
    logCreator: () => (entry) => {
      // Below, which an environment variable turns on, there is what must not be shown.
      const words = entry.level <= logLevel.WARN ? wordsFor(entry) : undefined;
      if (words !== undefined) options.log?.("warn", words);
    },
    ...(options.ssl === undefined || options.ssl === false ? {} : { ssl: options.ssl }),
    ...(options.sasl === undefined ? {} : { sasl: saslOptions(options.sasl) }),
  };
  const kafka = new Kafka(config);
  return { kafka, clusters: clustersOf(kafka, reach) };
}

/** A fresh object: kafkajs keeps things of its own in it. */
function saslOptions(sasl: KafkaSasl): SASLOptions | Mechanism {
  return sasl.mechanism === "oauthbearer" ? bearerMechanism(sasl.token) : { ...sasl };
}

/** Waits for `work` to end, well or not, but no longer than this: a broker that hangs must not hold up a shutdown. */
export async function endWithin(limitMs: number, work: Promise<unknown>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, limitMs);
  });
  await Promise.race([limit, Promise.allSettled([work])]);
  clearTimeout(timer);
}

/**
 * What `work` comes to, if it does within the limit. Tries of kafkajs lie within tries, forty times forty of them.
 *
 * @throws {OddlinkError} KAFKA_UNREACHABLE at the limit; the work goes on unless its connections are sealed
 */
export async function requireWithin<Result>(
  limitMs: number,
  doing: string,
  work: Promise<Result>,
): Promise<Result> {
  let timer: NodeJS.Timeout | undefined;
  const limit = new Promise<never>((_, reject) => {
    timer = setTimeout(() => {
      reject(new OddlinkError("KAFKA_UNREACHABLE", `${doing}: no answer within ${limitMs} ms`));
    }, limitMs);
  });
  try {
    return await Promise.race([work, limit]);
  } finally {
    clearTimeout(timer);
  }
}
