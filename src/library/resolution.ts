import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import type { Decoder } from "../ingest/formats/format.ts";
import { LookAside } from "../ingest/resolution/look-aside.ts";
import { resolving } from "../ingest/resolution/resolution.ts";
import { readTable } from "../ingest/resolution/table-file.ts";

/**
 * What puts the names of the configured tables in the place of addresses and aliases.
 *
 * @throws {OddlinkError} CONFIG_INVALID for a table that is a topic, or a file that is no table
 */
export async function tablesOf({ input }: Config): Promise<(decoder: Decoder) => Decoder> {
  const { hosts, users } = input.resolution;
  const tables = { hosts: await tableOf("hosts", hosts), users: await tableOf("users", users) };
  return (decoder) => resolving(decoder, tables);
}

async function tableOf(
  name: string,
  { file, topic, entriesMax }: Config["input"]["resolution"]["hosts"],
): Promise<LookAside | undefined> {
  if (topic !== undefined)
    throw new OddlinkError(
      "CONFIG_INVALID",
      `input.resolution.${name}.topic: an embedded engine reads no topic`,
    );
  if (file === undefined) return undefined;
  const table = new LookAside(entriesMax);
  await readTable(file, table);
  return table;
}
