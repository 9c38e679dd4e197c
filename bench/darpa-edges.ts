import { readFileSync } from "node:fs";
import { join } from "node:path";
import { strFromU8, unzipSync } from "fflate";

const ARCHIVE = "darpa_original.zip";
const LINES_MAX = 1 << 23;
const NORMAL = "-";
const LINE_FEED = 10;

/** The edges of the DARPA 1998 traffic in the order of the file. */
export type Edges = {
  readonly count: number;
  readonly sources: Int32Array;
  readonly targets: Int32Array;
  /** Number of the edge's minute among the minutes that have any, from 1: how the published runs number them. */
  readonly ranks: Int32Array;
  /** Number of the edge's minute since the first, from 1. */
  readonly minutes: Int32Array;
  /** Position in `labelNames`; 0 is a normal edge. */
  readonly labels: Int32Array;
  readonly labelNames: readonly string[];
};

/**
 * Reads the edges that the authors of MIDAS published (source, target, minute, label), from the folder that holds their
 * archive. 250 MB of text and 90 MB of edges at a time.
 */
export function readEdges(folder: string): Edges {
  const files = unzipSync(readFileSync(join(folder, ARCHIVE)), {
    filter: ({ name }) => name.endsWith(".csv"),
  });
  const text = Object.values(files)[0];
  if (text === undefined) throw new Error(`${ARCHIVE} holds no csv file`);
  const [sources, targets, ranks, minutes, labels] = Array.from(
    { length: 5 },
    () => new Int32Array(LINES_MAX),
  );
  const hosts = new Map<string, number>();
  const names = new Map<string, number>([[NORMAL, 0]]);
  let count = 0;
  let rank = 0;
  let minute = 0;
  let firstMinute = Number.NaN;
  let timeBefore = "";
  for (let start = 0, end = 0; start < text.length; start = end + 1) {
    end = text.indexOf(LINE_FEED, start);
    if (end < 0) end = text.length;
    const [source, target, time, label] = strFromU8(text.subarray(start, end), true).trimEnd().split(",");
    if (label === undefined) continue;
    if (time !== timeBefore) {
      const now = minuteOf(time!);
      if (Number.isNaN(firstMinute)) firstMinute = now;
      // The file has a day "07/32" just before "08/01": such a minute counts as the latest one.
      minute = Math.max(minute, now - firstMinute + 1);
      rank++;
      timeBefore = time!;
    }
    sources![count] = numberOf(hosts, source!);
    targets![count] = numberOf(hosts, target!);
    ranks![count] = rank;
    minutes![count] = minute;
    labels![count] = numberOf(names, label);
    count++;
  }
  return {
    count,
    sources: sources!,
    targets: targets!,
    ranks: ranks!,
    minutes: minutes!,
    labels: labels!,
    labelNames: [...names.keys()],
  };
}

function numberOf(numbers: Map<string, number>, name: string): number {
  let number = numbers.get(name);
  if (number === undefined) numbers.set(name, (number = numbers.size));
  return number;
}

/** "06/01/1998-07:55" in minutes since 1970. */
function minuteOf(text: string): number {
  const [, month, day, year, hour, minute] = /^(\d+)\/(\d+)\/(\d+)-(\d+):(\d+)$/.exec(text)!.map(Number);
  return Date.UTC(year!, month! - 1, day, hour, minute) / 60_000;
}
