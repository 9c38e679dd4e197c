import { Command, InvalidArgumentError } from "commander";
import { OddlinkError } from "../errors.ts";
import { REJECT_REASONS } from "../ingest/decoded.ts";
import { KafkajsClient } from "../log/kafka/kafkajs/client.ts";
import { NO_REASON, type ReasonCount, replayDeadLetters } from "../log/kafka/replay.ts";
import { REAL_TIME } from "../time.ts";
import { kafkaClientOptions, topicsOf } from "./kafka.ts";
import { type CommonFlags, configOf } from "./options.ts";
import type { StandardOutput } from "./standard-output.ts";
import { stoppable } from "./stopping.ts";
import { troubleTo } from "./terminal/repeated.ts";

type ReplayFlags = Pick<CommonFlags, "config"> & {
  readonly deadLetters?: true;
  readonly reason?: readonly string[];
  readonly since?: number;
  readonly to?: string;
  readonly dryRun?: true;
};

export function replayCommand(output: StandardOutput): Command {
  return new Command("replay")
    .description("Send dead letters back to the topics they came from, each exactly once.")
    .option("--dead-letters", "what is replayed; has to be said")
    .option(
      "--reason <name>",
      "only those with this reason; may be repeated",
      (name: string, others: readonly string[] = []) => [...others, reasonOf(name)],
    )
    .option(
      "--since <time>",
      "only those written since, as 2026-01-31T08:00Z; older ones are never sent",
      timeOf,
    )
    .option("--to <topic>", "send all to this topic, not to kafka.topics.logins and normalize.topics")
    .option("--dry-run", "count what would be sent, and send nothing")
    .option("--config <file>", "configuration file (YAML); environment and flags come after it")
    .addHelpText(
      "after",
      `
A second call goes on where the first one ended, also after kill -9: what was sent is sent once. How far each reason has come is
kept in the consumer groups <kafka.group>-replay-<reason>. A record that still can't be read becomes a dead letter again and is
sent again by the next call: see how many of them had been sent before. Brokers forget such a position a while after the last
call (offsets.retention.minutes, seven days by default): keep dead letters no longer than that, or use --since.

Examples:
  oddlink replay --dead-letters --dry-run            how many there are, by reason
  oddlink replay --dead-letters --reason unknown-schema --reason unreadable-schema
                                                     after the schema registry was mended`,
    )
    .action((flags: ReplayFlags) => run(flags, output));
}

async function run(flags: ReplayFlags, output: StandardOutput): Promise<void> {
  if (!flags.deadLetters) throw new OddlinkError("USAGE", "say what is to be replayed: --dead-letters");
  const config = configOf(flags);
  const { kafka } = config;
  const topics = topicsOf(kafka);
  const { logins, ...own } = topics;
  if (flags.to !== undefined && flags.to !== logins && Object.values(own).includes(flags.to))
    throw new OddlinkError(
      "USAGE",
      `--to ${flags.to} is a topic that oddlink itself writes, and no place for records to be read again`,
    );
  const homes = [logins, ...config.normalize.topics.map(({ topic }) => topic)];
  const client = new KafkajsClient(kafkaClientOptions(kafka, undefined));
  try {
    const isDryRun = flags.dryRun === true;
    const counts = await stoppable((signal) =>
      replayDeadLetters({
        client,
        time: REAL_TIME,
        group: kafka.group,
        deadLetters: topics.deadLetters,
        homes,
        to: flags.to,
        reasons: flags.reason ?? [],
        sinceMs: flags.since,
        isDryRun,
        signal,
        onTrouble: troubleTo(process.stderr),
      }),
    );
    output.write(renderReplay(counts, flags.to ?? homes.join(", "), isDryRun));
  } finally {
    await client.close();
  }
}

/** Counts by reason, most first, and the sum. */
export function renderReplay(
  counts: ReadonlyMap<string, ReasonCount>,
  to: string,
  isDryRun: boolean,
): string {
  const rows = [...counts].sort(([a, x], [b, y]) => y.sent - x.sent || (a < b ? -1 : 1));
  const sum = { sent: 0, replayedBefore: 0, passedOver: 0 };
  for (const [, { sent, replayedBefore, passedOver }] of rows) {
    sum.sent += sent;
    sum.replayedBefore += replayedBefore;
    sum.passedOver += passedOver;
  }
  const lines = rows.map(([reason, count]) => `${reason}: ${countText(count)}`);
  const verb = isDryRun ? "would be sent" : "sent";
  return `${[...lines, `${verb} to ${to}: ${countText(sum)}`].join("\n")}\n`;
}

function countText({ sent, replayedBefore, passedOver }: ReasonCount): string {
  const before = replayedBefore > 0 ? `, ${replayedBefore} of them replayed before` : "";
  const old = passedOver > 0 ? `, ${passedOver} older ones passed over` : "";
  return `${sent}${before}${old}`;
}

/** @throws if no dead letter can have it: a name that is mistyped must not look as if there were none */
export function reasonOf(name: string): string {
  const reasons: readonly string[] = [...REJECT_REASONS, NO_REASON];
  if (!reasons.includes(name)) throw new InvalidArgumentError(`reasons are ${reasons.join(", ")}`);
  return name;
}

/** A date, a date with a time, or milliseconds since 1970. Without a zone it is UTC. */
export function timeOf(text: string): number {
  const isDate = /^\d{4}-\d\d-\d\d(T\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?)?$/.test(text);
  const hasZone = /(Z|[+-]\d\d:\d\d)$/.test(text) || !text.includes("T");
  const timeMs = /^\d{12,14}$/.test(text)
    ? Number(text)
    : isDate
      ? Date.parse(hasZone ? text : `${text}Z`)
      : Number.NaN;
  if (!Number.isFinite(timeMs)) throw new InvalidArgumentError("expected a time as 2026-01-31T08:00Z");
  return timeMs;
}
