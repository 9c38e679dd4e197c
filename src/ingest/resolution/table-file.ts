import { OddlinkError } from "../../errors.ts";
import { csvRows } from "../csv-rows.ts";
import type { LookAside } from "./look-aside.ts";

/** Names of the two columns. */
const HEADER = ["from", "to"] as const;

/**
 * Fills a table from a CSV file, plain or gzip, with a header that names the columns `from` and `to`; others are not looked at.
 *
 * @throws {OddlinkError} CONFIG_INVALID naming the file, and the line if there is one to name
 */
export async function readTable(file: string, table: LookAside): Promise<void> {
  const wrong = (what: string, cause?: unknown): OddlinkError =>
    new OddlinkError("CONFIG_INVALID", `input.resolution: ${file}: ${what}`, { cause });
  let places: readonly number[] | undefined;
  try {
    for await (const { info, record } of csvRows(file)) {
      if (places === undefined) {
        const names = record.map((name) => name.toLowerCase());
        places = HEADER.map((name) => names.indexOf(name));
        if (places.includes(-1))
          throw wrong(`line ${info.lines}: expected a header with the columns ${HEADER.join(" and ")}`);
        continue;
      }
      const [from = "", to = ""] = places.map((place) => record[place] ?? "");
      table.set(from, to);
    }
  } catch (error) {
    if (error instanceof OddlinkError && error.code === "CONFIG_INVALID") throw error;
    throw wrong((error as Error).message, error);
  }
  if (places === undefined) throw wrong("it is empty");
}
