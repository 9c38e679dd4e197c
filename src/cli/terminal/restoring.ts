import type { RestoreProgress } from "../../engine/shared-graph.ts";
import { countText } from "./numbers.ts";

const MIB = 2 ** 20;

/** How far a restore is; undefined when it is done. */
export function restoringText({
  bytesRead,
  bytesTotal,
  bytesAdded,
  links,
}: RestoreProgress): string | undefined {
  if (bytesTotal === undefined) return `reading the stored graph, ${(bytesRead / MIB).toFixed(0)} MiB`;
  if (bytesAdded === bytesTotal) return undefined;
  return `restoring the graph, ${Math.floor((100 * bytesAdded) / bytesTotal)} %, ${countText(links)} links`;
}
