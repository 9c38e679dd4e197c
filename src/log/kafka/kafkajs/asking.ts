import { setTimeout as sleep } from "node:timers/promises";
import { OddlinkError } from "../../../errors.ts";
import type { KafkaClusters } from "./clusters.ts";
import { requireWithin } from "./connection.ts";
import { forgetBroker } from "./coordinator.ts";
import type { InternalCluster } from "./internals.ts";
import { asKafkaError, causesOf, mayHeal } from "./kafka-errors.ts";

const ANSWER_MS_MAX = 10_000;
const BACKOFF_MS = 50;

/** Who asks: connections, all that were made beside them, and milliseconds for deadlines. */
export type Asking = {
  readonly cluster: InternalCluster;
  readonly clusters: Pick<KafkaClusters, "trouble">;
  readonly clock: () => number;
};

/**
 * Asks brokers something, again and again while that may help, for ten seconds at most.
 *
 * @param doing what fails if it does, as in "reading the topic logins"
 * @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING, CONFIG_INVALID; or what else the broker said
 */
export async function ask<Answer>(
  { cluster, clusters, clock }: Asking,
  doing: string,
  question: () => Promise<Answer>,
): Promise<Answer> {
  try {
    const answer = askUntil(cluster, clock, clock() + ANSWER_MS_MAX, doing, question);
    return await requireWithin(ANSWER_MS_MAX, doing, answer);
  } catch (error) {
    throw withTrouble(error, doing, clusters.trouble);
  }
}

/** Where no broker could be reached, an error that names them: that no answer came within the limit helps nobody. */
export function withTrouble(error: unknown, doing: string, trouble: string | undefined): unknown {
  if (!(error instanceof OddlinkError) || error.code !== "KAFKA_UNREACHABLE" || trouble === undefined)
    return error;
  const isAboutSecurity = /TLS|SSL|closes connections/.test(trouble);
  const settings = isAboutSecurity ? "kafka.ssl and kafka.sasl fit the port" : "kafka.brokers is right";
  return new OddlinkError(
    "KAFKA_UNREACHABLE",
    `${doing}: Kafka can't be reached (${trouble}); see whether ${settings}, oddlink doctor looks closer`,
    { cause: error },
  );
}

async function askUntil<Answer>(
  cluster: InternalCluster,
  clock: () => number,
  deadlineMs: number,
  doing: string,
  question: () => Promise<Answer>,
): Promise<Answer> {
  for (;;) {
    try {
      await cluster.connect();
      return await question();
    } catch (error) {
      if (!mayHeal(error) || clock() >= deadlineMs) throw asAnswer(error, doing);
      forgetBroker(cluster, error);
      await sleep(BACKOFF_MS);
    }
  }
}

/** Controllers of a KRaft cluster speak the protocol too, and know none of the requests that brokers answer. */
function asAnswer(error: unknown, doing: string): Error {
  if (!causesOf(error).some(({ name }) => name === "KafkaJSServerDoesNotSupportApiKey"))
    return asKafkaError(error, doing);
  const why =
    "what answers there is no broker, or too old a one; does kafka.brokers name the port of a controller?";
  return new OddlinkError("CONFIG_INVALID", `${doing}: ${why}`, { cause: error });
}
