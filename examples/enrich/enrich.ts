/**
 * A step behind oddlink: reads its alerts, adds who owns the account, and writes them to a topic of its own, each exactly
 * once. README.md says how to run it, and what to change.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "csv-parse/sync";
import { kafkaClientOptions, topicsOf } from "../../src/cli/kafka.ts";
import { stoppable } from "../../src/cli/stopping.ts";
import { loadConfig } from "../../src/config/load.ts";
import type { ConsumedRecord, ProducedRecord } from "../../src/log/kafka/client.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs-client.ts";
import { runTopicPipeline } from "../../src/log/kafka/topic-pipeline.ts";
import { REAL_TIME } from "../../src/time.ts";

type Owner = { readonly owner: string; readonly department: string; readonly criticality: string };
/** What is looked at of an alert; anything may be missing in a record that somebody else wrote. */
type Finding = {
  readonly evidences?: readonly { readonly actor?: { readonly user?: { readonly name?: string } } }[];
  readonly enrichments?: readonly unknown[];
};

const OWNERS_FILE = process.argv[2] ?? join(import.meta.dirname, "owners.csv");
// Brokers, TLS, SASL and names of topics, as for the workers.
const { kafka } = loadConfig({ environment: process.env, flags: {} });
const { alerts } = topicsOf(kafka);
const enriched = `${alerts}-enriched`;

const rows = parse<Owner & { readonly user: string }>(readFileSync(OWNERS_FILE), {
  columns: true,
  bom: true,
});
const owners = new Map(rows.map(({ user, ...owner }) => [user, owner]));

/** One alert in, one out. One that can't be read goes on as it is, and a header says so: no alert is held up or dropped. */
function enrich({ key, value, headers }: ConsumedRecord): ProducedRecord[] {
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

const client = new KafkajsClient({ ...kafkaClientOptions(kafka, undefined), clientId: "enrich" });
const group = `${kafka.group}-enrich`;
const onTrouble = (message: string): void => console.error(message);
console.error(`${alerts} to ${enriched} as ${group}, with ${owners.size} owners`);
// SIGTERM and SIGINT: what was read is passed on and committed, and the group is left.
await stoppable((signal) =>
  runTopicPipeline(
    { ...kafka, client, time: REAL_TIME, group, topic: alerts, map: enrich, onTrouble },
    signal,
  ),
);
await client.close();
