import { Command } from "commander";
import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { KafkajsAdmin } from "../log/kafka/kafkajs/admin.ts";
import { checkTopics, missingTopics, type TopicReport, topicRoles } from "../log/kafka/topic-settings.ts";
import { kafkaClientOptions, topicsOf } from "./kafka.ts";
import { type CommonFlags, configOf, numberOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";

const PARTITIONS_MAX = 100_000;
const REPLICATION_MAX = 100;
const NOT_MADE = "does not exist, or may not be seen by this user; it is made by whoever fills it";

type TopicsFlags = Pick<CommonFlags, "config"> & {
  readonly create?: true;
  readonly partitions?: number;
  readonly replication?: number;
};

export function topicsCommand(output: StandardOutput): Command {
  return new Command("topics")
    .description("Check every topic of the configuration, and make those that are missing if asked to.")
    .option("--create", "make what is missing, with the right settings; what exists is never changed")
    .option(
      "--partitions <n>",
      "of the topic of logins if that is missing, and of those that follow it: without it, they are not made",
      numberOf,
    )
    .option("--replication <n>", "replicas of what is made; the broker decides if not given", numberOf)
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .addHelpText(
      "after",
      `
One line a topic: ok, or what is wrong with it and how to mend it; then the exit code is 1.

Examples:
  oddlink topics --config oddlink.yaml               check
  oddlink topics --create --partitions 12 --replication 3
                                                     make all that are missing
  oddlink topics --create                            the same where the topic of logins is there: the others follow it.
                                                     Where it is not, only epochs and verdicts are made, which always have one partition`,
    )
    .action((flags: TopicsFlags) => run(flags, output));
}

async function run(flags: TopicsFlags, output: StandardOutput): Promise<void> {
  requireWhole("--partitions", flags.partitions, PARTITIONS_MAX);
  requireWhole("--replication", flags.replication, REPLICATION_MAX);
  if (!flags.create && (flags.partitions !== undefined || flags.replication !== undefined))
    throw new OddlinkError("USAGE", "--partitions and --replication are of what --create makes");
  const config = configOf(flags);
  const topics = topicsOf(config.kafka);
  const roles = topicRoles(config.outputs.scoredLogins, config.training.shadow, config.outputs.entityRisk);
  const admin = new KafkajsAdmin(kafkaClientOptions(config.kafka, undefined));
  try {
    const names = roles.map((role) => topics[role]);
    let found = await admin.findTopics(names);
    const { partitions, replication } = flags;
    const logins = found.get(topics.logins);
    if (partitions !== undefined && logins !== undefined && logins.partitions !== partitions)
      throw new OddlinkError(
        "USAGE",
        `${topics.logins} has ${partitionsText(logins.partitions)} already, and what exists is never changed: leave --partitions out, or add partitions with kafka-topics --alter`,
      );
    const missing = flags.create ? missingTopics(roles, topics, found, { partitions, replication }) : [];
    if (missing.length > 0) {
      await admin.createTopics(missing);
      for (const { topic, partitions, settings } of missing) {
        const set = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
        output.write(`${topic}: made, ${partitionsText(partitions)}, ${set.join(", ")}\n`);
      }
      found = await admin.findTopics(names);
    }
    const reports = checkTopics(roles, topics, found, config.window.days);
    for (const report of reports) output.write(`${topicLine(report)}\n`);
    const others = othersTopics(config);
    const there = await admin.findTopics(others);
    for (const topic of others) {
      const partitions = there.get(topic)?.partitions;
      const what = partitions === undefined ? NOT_MADE : `ok, ${partitionsText(partitions)}, read only`;
      output.write(`${topic}: ${what}\n`);
    }
    const wrong =
      reports.filter(({ problems }) => problems.length > 0).length +
      others.filter((topic) => !there.has(topic)).length;
    const count = reports.length + others.length;
    if (wrong > 0)
      throw new OddlinkError("CHECKS_FAILED", `${wrong} of ${count} topics are not as they must be`);
  } finally {
    await admin.close();
  }
}

/** Topics that the configuration reads and somebody else fills: raw ones, and those of look-aside tables. */
function othersTopics({ normalize, input }: Config): string[] {
  const { hosts, users } = input.resolution;
  const named = [...normalize.topics.map(({ topic }) => topic), hosts.topic, users.topic];
  return [...new Set(named.filter((topic) => topic !== undefined))];
}

/** What is said of a topic, in one line. */
export function topicLine({ topic, partitions, problems, notes }: TopicReport): string {
  const what = problems.length > 0 ? problems.join("; ") : `ok, ${partitionsText(partitions ?? 0)}`;
  return `${topic}: ${[what, ...notes.map((note) => `note: ${note}`)].join("; ")}`;
}

function partitionsText(count: number): string {
  return count === 1 ? "1 partition" : `${count} partitions`;
}

function requireWhole(flag: string, value: number | undefined, max: number): void {
  if (value !== undefined && (!Number.isInteger(value) || value < 1 || value > max))
    throw new OddlinkError("USAGE", `${flag} takes a whole number from 1 to ${max}`);
}
