import type { OffsetRange, SegmentHeader } from "./segment.ts";

/** A segment as it lies in the log, not decoded yet but for its header. */
export type StoredSegment = {
  /** Key in the log. */
  readonly key: string;
  readonly header: SegmentHeader;
  readonly bytes: Uint8Array;
};

/**
 * What a range is to what is there already: the `next` one to be added, `known` because all of it was added, `beyond` a
 * gap, or `overlapping` the end, so that it can't be added without counting something twice.
 */
export type Standing = "next" | "known" | "beyond" | "overlapping";

/** Which offsets of each input partition a graph holds. Adding is not idempotent, so this decides what is added. */
export class Coverage {
  readonly #nextOf = new Map<number, number>();
  readonly #startOf = new Map<number, number>();

  /** The first offset of a partition that is not in the graph; undefined if nothing of it is. */
  nextOf(partition: number): number | undefined {
    return this.#nextOf.get(partition);
  }

  /** Where the history of a partition begins; undefined if nothing of it is known. */
  startOf(partition: number): number | undefined {
    return this.#startOf.get(partition);
  }

  standingOf({ partition, historyStart, first, next }: OffsetRange): Standing {
    const covered = this.#nextOf.get(partition) ?? historyStart;
    if (next <= covered && this.#nextOf.has(partition)) return "known";
    if (first === covered) return "next";
    return first > covered ? "beyond" : "overlapping";
  }

  /** All that is covered, as one range for each partition. */
  ranges(): OffsetRange[] {
    return [...this.#nextOf]
      .sort(([a], [b]) => a - b)
      .map(([partition, next]) => {
        const first = this.#startOf.get(partition)!;
        return { partition, historyStart: first, first, next };
      });
  }

  add({ partition, historyStart, next }: OffsetRange): void {
    this.#nextOf.set(partition, next);
    this.#startOf.set(partition, historyStart);
  }
}

/**
 * Of all segments in a log, those whose sum is the state: of groups that are there completely, the ones that cover most
 * and follow each other without a gap. The rest was replaced by sums, or its group was never finished.
 *
 * @returns the segments in the order in which they are to be added, and what they cover
 */
export function chooseSegments(stored: Iterable<StoredSegment>): {
  readonly chosen: StoredSegment[];
  readonly coverage: Coverage;
  /** Where something is missing, in words. */
  readonly gap: string | undefined;
} {
  const groups = completeGroups(stored);
  const coverage = new Coverage();
  const chosen: StoredSegment[] = [];
  const take = (group: Group): void => {
    for (const range of group.ranges) coverage.add(range);
    chosen.push(...group.pieces);
  };
  const [whole] = groups.filter(({ ranges }) => ranges.length > 1).sort((a, b) => extentOf(b) - extentOf(a));
  if (whole !== undefined) take(whole);
  // Of those that begin where another ended, the one that reaches furthest stands for the others.
  const single = groups
    .filter(({ ranges }) => ranges.length === 1)
    .sort((a, b) => a.ranges[0]!.first - b.ranges[0]!.first || b.ranges[0]!.next - a.ranges[0]!.next);
  for (const group of single) if (coverage.standingOf(group.ranges[0]!) === "next") take(group);
  const beyond = single.find(({ ranges }) => coverage.standingOf(ranges[0]!) === "beyond")?.ranges[0];
  const gap =
    beyond === undefined
      ? undefined
      : `of partition ${beyond.partition}, offsets ${coverage.nextOf(beyond.partition) ?? beyond.historyStart} to ${beyond.first}`;
  return { chosen: inOrderOfTime(chosen), coverage, gap };
}

/** So added, what fell silent is forgotten at the same steps as it was by those who wrote the segments. */
export function inOrderOfTime(segments: readonly StoredSegment[]): StoredSegment[] {
  return segments.toSorted((a, b) => a.header.watermarkMs - b.header.watermarkMs);
}

type Group = { readonly ranges: readonly OffsetRange[]; readonly pieces: readonly StoredSegment[] };

function completeGroups(stored: Iterable<StoredSegment>): Group[] {
  const byName = new Map<string, StoredSegment[]>();
  for (const segment of stored) {
    const pieces = byName.get(segment.header.group);
    if (pieces === undefined) byName.set(segment.header.group, [segment]);
    else pieces.push(segment);
  }
  const groups: Group[] = [];
  for (const pieces of byName.values()) {
    pieces.sort((a, b) => a.header.piece - b.header.piece);
    const isComplete =
      pieces.at(-1)!.header.isLast && pieces.every(({ header }, position) => header.piece === position);
    if (isComplete) groups.push({ ranges: pieces[0]!.header.ranges, pieces });
  }
  return groups;
}

function extentOf({ ranges }: Group): number {
  return ranges.reduce((sum, { historyStart, next }) => sum + next - historyStart, 0);
}
