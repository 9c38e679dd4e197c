/** Groups are merged into the one before them once they weigh so many times what it does. */
const MERGE_RATIO = 2;

/** From the first to before the last: places in a list. */
export type Places = { readonly from: number; readonly to: number };

export type MergeBounds = {
  /** What is to be gained, at least: each merge reads back all that the partition has. */
  readonly bytesMin: number;
  /** What is added to the oldest group of a merge, about; as many times that group as above if that is more. */
  readonly bytesMax: number;
};

/**
 * Which groups of segments of a partition, one next to the other, are to become one: from the oldest group on whose successors
 * together outweigh it. So there are few groups, the older the larger, and each byte is written again a few times only, like in a log-structured merge
 * tree.
 *
 * @param bytes of each group, in the order of their offsets
 * @returns undefined if none is due
 */
export function planMerge(bytes: readonly number[], { bytesMin, bytesMax }: MergeBounds): Places | undefined {
  let later = bytes.reduce((sum, group) => sum + group, 0);
  for (const [from, group] of bytes.entries()) {
    later -= group;
    if (later < bytesMin) return undefined;
    if (later < MERGE_RATIO * group) continue;
    const limit = Math.max(bytesMax, MERGE_RATIO * group);
    let to = from + 1;
    for (let added = 0; to < bytes.length && added < limit; to++) added += bytes[to]!;
    return { from, to };
  }
  return undefined;
}
