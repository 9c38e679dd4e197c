import { connect } from "node:tls";
import type { KafkaConfig } from "../config/kafka.ts";
import { OddlinkError } from "../errors.ts";
import { brokerErrorType } from "../log/kafka/kafkajs/kafka-errors.ts";
import type { Check } from "./doctor-checks.ts";

const HANDSHAKE_MS_MAX = 3000;

/** Host and port of an address as "host:port" or "[::1]:port". */
export function hostAndPort(address: string): { readonly host: string; readonly port: number } {
  const at = address.lastIndexOf(":");
  return { host: address.slice(0, at).replace(/^\[|\]$/g, ""), port: Number(address.slice(at + 1)) };
}

/** What TLS and SASL are set for the connections to brokers, in words. */
export function securityText({ ssl, sasl }: KafkaConfig): string {
  const tls = ssl.enabled ? `TLS${ssl.certFile === undefined ? "" : " with a client certificate"}` : "no TLS";
  return `${tls}, ${sasl.mechanism === undefined ? "no SASL" : `SASL ${sasl.mechanism}`}`;
}

/**
 * Why brokers that can be connected to answer nothing: mostly they are spoken to with TLS or SASL where they expect none, or
 * the other way round.
 *
 * @param address one that can be connected to
 * @param error what asking for the brokers came to
 */
export async function listenerCheck(kafka: KafkaConfig, address: string, error: unknown): Promise<Check> {
  const { ssl, sasl } = kafka;
  const failed = (found: string, remedy?: string): Check => ({
    name: "brokers",
    status: "FAIL",
    found,
    ...(remedy === undefined ? {} : { remedy }),
  });
  if (sasl.mechanism !== undefined && brokerErrorType(error) === "ILLEGAL_SASL_STATE")
    return failed(
      `SASL ${sasl.mechanism} is set, and ${address} takes no SASL`,
      "leave kafka.sasl.mechanism out, or name the brokers' SASL port in kafka.brokers",
    );
  const message = (error as Error).message;
  if (!(error instanceof OddlinkError) || error.code !== "KAFKA_UNREACHABLE") return failed(message);
  const isTls = await speaksTls(address);
  if (ssl.enabled && !isTls)
    return failed(
      `TLS is set, and ${address} does not speak it`,
      "set kafka.ssl.enabled to false, or name the brokers' TLS port in kafka.brokers",
    );
  if (!ssl.enabled && isTls)
    return failed(
      `no TLS is set, and ${address} speaks nothing else`,
      "set kafka.ssl.enabled to true, or name the brokers' plain port in kafka.brokers",
    );
  return failed(
    `${address} takes connections, and does not answer (${message}); set are ${securityText(kafka)}`,
    sasl.mechanism === undefined
      ? "is it a broker that wants SASL? Then set kafka.sasl.mechanism"
      : "is it a Kafka broker, and does it run?",
  );
}

/** Whoever refuses a handshake for its certificates speaks TLS as well. A plain broker hangs up, or waits for more. */
function speaksTls(address: string): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ ...hostAndPort(address), rejectUnauthorized: false });
    const end = (isTls: boolean): void => {
      socket.destroy();
      resolve(isTls);
    };
    socket.setTimeout(HANDSHAKE_MS_MAX, () => end(false));
    socket.once("secureConnect", () => end(true));
    socket.once("error", ({ code }: NodeJS.ErrnoException) => end(/^ERR_SSL_.*ALERT/.test(code ?? "")));
    socket.once("close", () => end(false));
  });
}
