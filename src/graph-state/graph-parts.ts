import { bytesOf } from "./hourly-samples.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";
import type { NodeAggregates } from "./node-aggregates.ts";
import type { GraphPart } from "./segment.ts";
import { type NamedLinks, SegmentLinks } from "./segment-links.ts";
import type { Statistics } from "./statistics.ts";
import type { Window } from "./window.ts";

/** Some links of a graph, and where in `statistics` it stands what is to be said of the i-th of them. */
export type SomeLinks = {
  readonly rows: Int32Array;
  readonly placeOf: (i: number) => number;
  readonly statistics: Statistics;
  /** Minutes and counts of a link: see `SegmentLink`. */
  readonly recentOf: (link: LinkRow) => readonly number[];
};

/** What of a graph is not links. */
type Rest = Pick<GraphPart, "histograms" | "incidents" | "stories" | "samples">;

/** Links of a graph, and the rest, as parts of about `bytesMax` encoded bytes; one at least. */
export function* partsOf(
  graph: NamedLinks & { readonly window: Window; readonly originMs: number },
  { rows, placeOf, statistics, recentOf }: SomeLinks,
  bytesMax: number,
  { histograms, incidents, stories, samples }: Rest,
): Generator<GraphPart> {
  const { watermarkMs } = graph.window;
  const { originMs } = graph;
  for (let i = 0, s = 0, isFirst = true; isFirst || i < rows.length || s < samples.length; isFirst = false) {
    const links = new SegmentLinks(graph);
    for (; i < rows.length && links.bytes < bytesMax; i++)
      links.add(rows[i]!, statistics, placeOf(i), recentOf(rows[i]!));
    const firstSample = s;
    for (let { bytes } = links; s < samples.length && bytes < bytesMax; s++) bytes += bytesOf(samples[s]!);
    const rest = isFirst
      ? { histograms, incidents, stories }
      : { histograms: [], incidents: [], stories: [] };
    yield { watermarkMs, originMs, ...links.toParts(), ...rest, samples: samples.slice(firstSample, s) };
  }
}

/**
 * All rows of a graph, those that begin at the same node together: whoever adds them finds what it needs of that node, and its
 * name, at hand.
 */
export function rowsByNode({
  links,
  fromNodes,
}: NamedLinks & { readonly fromNodes: readonly NodeAggregates[] }): Int32Array {
  const rows = new Int32Array(links.size);
  let size = 0;
  for (const { head } of fromNodes) {
    for (const first of head) {
      for (let row: LinkRow = first; row !== NO_ROW; row = links.fromChains.nextOf(row)) rows[size++] = row;
    }
  }
  return rows;
}
