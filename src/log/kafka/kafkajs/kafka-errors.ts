import { OddlinkError } from "../../../errors.ts";
import type { KafkajsError } from "./internals.ts";

/** Causes followed at most; kafkajs wraps two or three times. */
const CAUSES_MAX = 8;

const DENIED_TYPES: ReadonlySet<string> = new Set([
  "TOPIC_AUTHORIZATION_FAILED",
  "GROUP_AUTHORIZATION_FAILED",
  "CLUSTER_AUTHORIZATION_FAILED",
  "TRANSACTIONAL_ID_AUTHORIZATION_FAILED",
  "SASL_AUTHENTICATION_FAILED",
  "UNSUPPORTED_SASL_MECHANISM",
]);

/** How Node names a TLS handshake that one side refused. A connection that was merely lost has an E... code. */
const TLS_REFUSED =
  /^(ERR_TLS_|ERR_SSL_|CERT_|SELF_SIGNED_|DEPTH_ZERO_|UNABLE_TO_(VERIFY|GET)|HOSTNAME_MISMATCH)/;

const UNREACHABLE_NAMES: ReadonlySet<string> = new Set([
  "KafkaJSConnectionError",
  "KafkaJSConnectionClosedError",
  "KafkaJSRequestTimeoutError",
  "KafkaJSBrokerNotFound",
  "KafkaJSNoBrokerAvailableError",
  "KafkaJSGroupCoordinatorNotFound",
  "KafkaJSLockTimeout",
]);

/** The broker has another producer for the id, or has given this one up because its transaction took too long. */
const FENCED_TYPES: ReadonlySet<string> = new Set(["INVALID_PRODUCER_EPOCH", "PRODUCER_FENCED"]);

export function isTlsRefused(error: KafkajsError): boolean {
  return typeof error.code === "string" && TLS_REFUSED.test(error.code);
}

/** The error and its causes, outermost first. */
export function causesOf(error: unknown): KafkajsError[] {
  const causes: KafkajsError[] = [];
  for (let next = error; next instanceof Error && causes.length < CAUSES_MAX; next = next.cause) {
    causes.push(next);
  }
  return causes;
}

/** Name of the broker's error code, or undefined if the error is not an answer of a broker. */
export function brokerErrorType(error: unknown): string | undefined {
  return causesOf(error).find(({ type }) => type !== undefined)?.type;
}

/** Whether a broker has refused because of who asks: it will again. */
export function isDenied(error: unknown): boolean {
  return DENIED_TYPES.has(brokerErrorType(error) ?? "");
}

export function isFenced(error: unknown): boolean {
  return FENCED_TYPES.has(brokerErrorType(error) ?? "");
}

/**
 * Whether the same request may go well later. False for what the broker refuses whatever the time, and for what is no
 * error of Kafka's at all.
 */
export function mayHeal(error: unknown): boolean {
  const known = asKafkaError(error, "");
  return known instanceof OddlinkError && known.retriable;
}

/**
 * The same error with a code of ours and a message that says what to do, where there is one; otherwise the error itself.
 *
 * @param doing what failed, as in "reading the topic logins"
 */
export function asKafkaError(error: unknown, doing: string): Error {
  const causes = causesOf(error);
  const own = causes.find((cause) => cause instanceof OddlinkError);
  if (own !== undefined) return own;
  // The innermost cause is the one that says something; those around it say that trying again did not help.
  const reason = causes.at(-1)?.message ?? String(error);
  const wrap = (
    code: "KAFKA_DENIED" | "KAFKA_TOPIC_MISSING" | "KAFKA_UNREACHABLE" | "CONFIG_INVALID",
    why: string,
  ) => new OddlinkError(code, `${doing}: ${why} (${reason})`, { cause: error });
  const type = brokerErrorType(error) ?? "";
  const isNamed = (name: string): boolean => causes.some((cause) => cause.name === name);
  if (DENIED_TYPES.has(type) || isNamed("KafkaJSSASLAuthenticationError")) {
    return wrap("KAFKA_DENIED", "Kafka refused; check the credentials and what they may do");
  }
  if (type === "ILLEGAL_SASL_STATE") {
    return wrap(
      "KAFKA_DENIED",
      "the broker expects no login at this port; see kafka.sasl, or take another port",
    );
  }
  if (causes.some(isTlsRefused)) {
    return wrap("KAFKA_DENIED", "the TLS handshake failed; check the certificates on both sides");
  }
  if (type === "UNKNOWN_TOPIC_OR_PARTITION") {
    return wrap(
      "KAFKA_TOPIC_MISSING",
      "there is no such topic; oddlink topics --create --partitions N makes what is missing",
    );
  }
  if (type === "INVALID_SESSION_TIMEOUT" || type === "INVALID_TRANSACTION_TIMEOUT") {
    return wrap("CONFIG_INVALID", "the broker does not allow this timeout");
  }
  if (causes.some(({ name }) => UNREACHABLE_NAMES.has(name))) {
    return wrap("KAFKA_UNREACHABLE", "Kafka can't be reached");
  }
  if (causes.some(({ retriable }) => retriable === true)) {
    return wrap("KAFKA_UNREACHABLE", "Kafka is not ready");
  }
  return error instanceof Error ? error : new Error(String(error));
}
