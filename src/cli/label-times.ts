import type { Config } from "../config/schema.ts";
import { OddlinkError } from "../errors.ts";
import { type Format, formatOf } from "../ingest/formats/index.ts";
import { readFirstRecord, type Source } from "../ingest/sources.ts";

/** A time as a source writes it, in milliseconds since 1970; undefined if it is none. */
export type ToTimeMs = (text: string) => number | undefined;

/** Reads times as the source writes them: the format named, or the one that its first record has. */
export async function timeReader(source: Source, config: Config): Promise<ToTimeMs> {
  const format: Format | undefined = formatOf(config.input.format, await readFirstRecord(source));
  if (format === undefined) {
    throw new OddlinkError("USAGE", `${source.name} has no known format; say which with --format`);
  }
  return (text) => {
    const timeMs = format.timeMs(text, config.input);
    return Number.isFinite(timeMs) ? timeMs : undefined;
  };
}

/** What `--from` says. @throws {OddlinkError} USAGE if that is no time of the source */
export function periodStart(
  from: string | undefined,
  toTimeMs: ToTimeMs,
  source: Source,
): number | undefined {
  if (from === undefined) return undefined;
  const fromMs = toTimeMs(from);
  if (fromMs !== undefined) return fromMs;
  throw new OddlinkError("USAGE", `--from ${from} is no time in the unit of ${source.name}`);
}
