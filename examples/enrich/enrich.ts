/**
 * A step behind oddlink: reads its alerts, adds who owns the account, and writes them to a topic of its own, each exactly
 * once. README.md says how to run it, and what to change.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Command } from "commander";
import { parse } from "csv-parse/sync";
import { exitCodeOf } from "../../src/cli/exit-code.ts";
import { openKafkaClient, topicsOf } from "../../src/cli/kafka.ts";
import { stoppable } from "../../src/cli/stopping.ts";
import { troubleTo } from "../../src/cli/terminal/repeated.ts";
import { loadConfig } from "../../src/config/load.ts";
import { OddlinkError } from "../../src/errors.ts";
import type { ConsumedRecord, ProducedRecord } from "../../src/log/kafka/client.ts";
import { runTopicPipeline } from "../../src/log/kafka/topic-pipeline.ts";
import { REAL_TIME } from "../../src/time.ts";

type Owner = { readonly owner: string; readonly department: string; readonly criticality: string };
/** What is looked at of an alert; anything may be missing in a record that somebody else wrote. */
type Finding = {
  readonly evidences?: readonly { readonly actor?: { readonly user?: { readonly name?: string } } }[];
  readonly enrichments?: readonly unknown[];
};

type Owners = ReadonlyMap<string, Owner>;

/** One alert in, one out. One that can't be read goes on as it is, and a header says so: no alert is held up or dropped. */
function enrich({ key, value, headers }: ConsumedRecord, owners: Owners, enriched: string): ProducedRecord[] {
  const to = (outcome: "yes" | "no-owner" | "unreadable", newValue: Buffer | string | null) => [
    { topic: enriched, key, value: newValue, headers: { ...headers, "oddlink-enriched": outcome } },
  ];
  try {
    const finding = readFinding(value);
    const name = finding.evidences?.[0]?.actor?.user?.name ?? "";
    const data = owners.get(name);
    if (data === undefined) return to("no-owner", value);
    // The place that OCSF has for what comes from elsewhere.
    const enrichment = { name: "evidences[0].actor.user.name", value: name, provider: "owners.csv", data };
    return to(
      "yes",
      JSON.stringify({ ...finding, enrichments: [...(finding.enrichments ?? []), enrichment] }),
    );
  } catch {
    return to("unreadable", value);
  }
}

/** @throws if it is no JSON object */
function readFinding(value: Buffer | null): Finding {
  const finding: unknown = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(value ?? undefined));
  if (typeof finding !== "object" || finding === null || Array.isArray(finding)) throw new Error("no object");
  return finding;
}

/** @throws {OddlinkError} USAGE if there is no such table */
function readOwners(file: string): Owners {
  try {
    const rows = parse<Owner & { readonly user: string }>(readFileSync(file), { columns: true, bom: true });
    return new Map(rows.map(({ user, ...owner }) => [user, owner]));
  } catch (error) {
    throw new OddlinkError("USAGE", `can't read owners from ${file}: ${(error as Error).message}`);
  }
}

async function run(ownersFile = join(import.meta.dirname, "owners.csv")): Promise<void> {
  const owners = readOwners(ownersFile);
  // Brokers, TLS, SASL and names of topics, as for the workers.
  const { kafka } = loadConfig({ environment: process.env, flags: {} });
  const { alerts } = topicsOf(kafka);
  const enriched = `${alerts}-enriched`;
  const group = `${kafka.group}-enrich`;
  const onTrouble = troubleTo(process.stderr);
  const map = (record: ConsumedRecord) => enrich(record, owners, enriched);
  // SIGTERM and SIGINT: what was read is passed on and committed, and the group is left.
  await stoppable(async (signal) => {
    const client = openKafkaClient(kafka, onTrouble, { clientId: "enrich" });
    console.error(`${alerts} to ${enriched} as ${group}, with ${owners.size} owners`);
    try {
      await runTopicPipeline(
        { ...kafka, client, time: REAL_TIME, group, topic: alerts, map, onTrouble },
        signal,
      );
    } finally {
      await client.close();
    }
  });
}

const command = new Command("enrich")
  .description(
    "Adds the owners of accounts to oddlink's alerts. Settings come from ODDLINK_KAFKA_... or ODDLINK_CONFIG.",
  )
  .argument(
    "[owners]",
    "CSV with the columns user, owner, department, criticality; the example's own if left out",
  )
  .action(run)
  .exitOverride();
process.exitCode = await exitCodeOf(() => command.parseAsync(), "enrich");
