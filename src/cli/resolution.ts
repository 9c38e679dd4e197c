import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import type { Decoder } from "../ingest/formats/format.ts";
import { LookAside, type LookAsideCounts } from "../ingest/resolution/look-aside.ts";
import { resolving } from "../ingest/resolution/resolution.ts";
import { readTable } from "../ingest/resolution/table-file.ts";
import type { KafkaClient } from "../log/kafka/client.ts";
import { KeyedFollower } from "../log/kafka/keyed-follower.ts";
import { countText } from "./terminal/numbers.ts";

const TABLES = ["hosts", "users"] as const;
type TableName = (typeof TABLES)[number];

/** What tables were asked, by name; those that are not configured are left out. */
export type ResolutionCounts = Readonly<Partial<Record<TableName, LookAsideCounts>>>;

/** The look-aside tables of the configuration, filled. */
export type Resolution = {
  wrap(decoder: Decoder): Decoder;
  counts(): ResolutionCounts;
  close(): Promise<void>;
};

/**
 * Reads the tables that are configured, and follows those that are topics: once this resolves they hold all that was there.
 *
 * @param kafka undefined where nothing is read from Kafka
 * @throws {OddlinkError} CONFIG_INVALID for a file that is no table; USAGE for a topic where there is no Kafka
 */
export async function openResolution(
  { input: { resolution } }: Config,
  kafka?: { readonly client: KafkaClient; readonly onTrouble: (message: string) => void },
): Promise<Resolution> {
  const tables: Partial<Record<TableName, LookAside>> = {};
  const followers: KeyedFollower[] = [];
  const close = async (): Promise<void> => void (await Promise.all(followers.map((one) => one.close())));
  try {
    for (const name of TABLES) {
      const { file, topic, entriesMax } = resolution[name];
      if (file === undefined && topic === undefined) continue;
      const table = new LookAside(entriesMax);
      tables[name] = table;
      if (file !== undefined) await readTable(file, table);
      if (topic === undefined) continue;
      if (kafka === undefined)
        throw new OddlinkError(
          "USAGE",
          `input.resolution.${name}.topic is followed by what reads Kafka: name a file here`,
        );
      const { client, onTrouble } = kafka;
      const follower = new KeyedFollower(
        client,
        topic,
        undefined,
        ({ key, value }) => table.set(key, value === null ? undefined : new TextDecoder().decode(value)),
        (error) =>
          onTrouble(`${topic} is not followed any more, going on with what is known: ${error.message}`),
      );
      followers.push(follower);
      await follower.caughtUp();
    }
  } catch (error) {
    await close();
    throw error;
  }
  return {
    wrap: (decoder) => resolving(decoder, tables),
    counts: () => Object.fromEntries(Object.entries(tables).map(([name, { counts }]) => [name, counts])),
    close,
  };
}

/** A line for each table; none where none is configured. */
export function resolutionLines(counts: ResolutionCounts): string[] {
  return Object.entries(counts).map(([name, { entries, lookups, hits, evicted, unusable }]) => {
    const rate = lookups === 0 ? "" : ` (${Math.round((100 * hits) / lookups)} %)`;
    const more = [
      ...(evicted > 0 ? [`${countText(evicted)} made room for others: see entriesMax`] : []),
      ...(unusable > 0 ? [`${countText(unusable)} were unusable`] : []),
    ].map((text) => `; ${text}`);
    return `Table of ${name}: ${countText(hits)} of ${countText(lookups)} names found${rate} among ${countText(entries)} entries${more.join("")}.`;
  });
}
