import { setTimeout as sleep } from "node:timers/promises";
import { asKafkaError, mayHeal } from "./kafka-errors.ts";
import { requireWithin } from "./kafkajs-connection.ts";
import { forgetBroker } from "./kafkajs-coordinator.ts";
import type { InternalCluster } from "./kafkajs-internals.ts";

const ANSWER_MS_MAX = 10_000;
const BACKOFF_MS = 50;

/**
 * Asks brokers something, again and again while that may help, for ten seconds at most.
 *
 * @param doing what fails if it does, as in "reading the topic logins"
 * @throws {OddlinkError} KAFKA_UNREACHABLE, KAFKA_DENIED, KAFKA_TOPIC_MISSING; or what else the broker said
 */
export function ask<Answer>(
  cluster: InternalCluster,
  clock: () => number,
  doing: string,
  question: () => Promise<Answer>,
): Promise<Answer> {
  return requireWithin(
    ANSWER_MS_MAX,
    doing,
    askUntil(cluster, clock, clock() + ANSWER_MS_MAX, doing, question),
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
      if (!mayHeal(error) || clock() >= deadlineMs) throw asKafkaError(error, doing);
      forgetBroker(cluster, error);
      await sleep(BACKOFF_MS);
    }
  }
}
