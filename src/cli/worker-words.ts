import type { Config } from "../config/schema.ts";
import type { RejectedEpoch } from "../engine/epoch-records.ts";
import { KafkajsAdmin } from "../log/kafka/kafkajs/admin.ts";
import { checkTopics, topicRoles } from "../log/kafka/topic-settings.ts";
import { kafkaClientOptions, topicsOf } from "./kafka.ts";
import { countText } from "./terminal/numbers.ts";

/** The first line of a worker or a trainer: what it has to do with whom. */
export function startedText(what: "worker" | "trainer", { kafka }: Config): string {
  const { logins, graphState, epochs } = topicsOf(kafka);
  const reads = what === "worker" ? logins : `${graphState} and ${epochs}`;
  return `${what} started: brokers ${kafka.brokers.join(", ")}; group ${kafka.group}; reads ${reads}`;
}

/** What is in force once the stored state was read. */
export function restoredText(links: number, epoch: number | undefined): string {
  const inForce = epoch === undefined ? "no epoch yet" : `epoch ${epoch} in force`;
  return `the graph is there: ${links} links, ${inForce}`;
}

/** An epoch that nobody adopts, and why. */
export function rejectedText({ number, gate }: RejectedEpoch): string {
  return `epoch ${number} is rejected, the one before stays in force: ${gate.reason}`;
}

/** @param uncommitted records that were read and whose results nobody will see */
export function stoppedText(uncommitted: number): string {
  if (uncommitted === 0) return "stopped: what was read is committed, the group is left";
  return `stopped, the group is left: ${countText(uncommitted)} records were read and not committed, the next owner of their partitions reads them again`;
}

/** What would show only when it is too late: state that is deleted with time, a topic that is missing. */
export async function topicProblems(config: Config, signal: AbortSignal): Promise<string[]> {
  const topics = topicsOf(config.kafka);
  const roles = topicRoles(config.outputs.scoredLogins, config.training.shadow, config.outputs.entityRisk);
  const admin = new KafkajsAdmin(kafkaClientOptions(config.kafka, undefined));
  const close = (): void => void admin.close();
  signal.addEventListener("abort", close);
  try {
    const found = await admin.findTopics(roles.map((role) => topics[role]));
    return checkTopics(roles, topics, found, config.window.days).flatMap(({ topic, problems }) =>
      problems.map((problem) => `${topic}: ${problem}`),
    );
  } catch {
    // What can't be looked at now: whoever needs it says so.
    return [];
  } finally {
    signal.removeEventListener("abort", close);
    await admin.close();
  }
}
