import type { Graph } from "./graph.ts";
import type { LinkKind } from "./link-kinds.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";

/**
 * Links of a node that are looked at, pairs and typed ones together. Of a node with more, a hub, only the most frequent peer is told: looking
 * at all would take too long, and which of them to look at would depend on the order in which they came.
 */
export const LOOKED_AT_MAX = 512;

/** What stands at the other end of a link, and the row of the pair. */
export type Peer = { readonly id: number; readonly row: LinkRow };

/**
 * What a node is linked with, in no particular order; of a hub, its most frequent peer alone. Reads only; none for an entity that is not known.
 *
 * @param end at which the node stands
 */
export function peersOf(
  graph: Graph,
  kind: LinkKind,
  end: "from" | "to",
  node: number,
  lookedAtMax = LOOKED_AT_MAX,
): Peer[] {
  const { links } = graph;
  const isFrom = end === "from";
  const degree = (isFrom ? graph.fromNodes : graph.toNodes)[kind.index]!.degreeOf(node);
  if (degree === 0) return [];
  if (degree > lookedAtMax) return mostFrequent(graph, kind, end, node);
  const peers: Peer[] = [];
  let lookedAt = 0;
  for (const row of graph.linksAt(kind, end, node)) {
    if (++lookedAt > lookedAtMax) return mostFrequent(graph, kind, end, node);
    if (links.relationOf(row) === 0) peers.push({ id: isFrom ? links.toOf(row) : links.fromOf(row), row });
  }
  return peers;
}

/** The same, the most frequent first, `peersMax` of them. Ties are broken by the hash of the name, as those of the mode are: names take long to compare. */
export function frequentPeers(
  graph: Graph,
  kind: LinkKind,
  end: "from" | "to",
  node: number,
  peersMax: number,
  lookedAtMax = LOOKED_AT_MAX,
): Peer[] {
  const { statistics } = graph.links;
  const names = graph.names.entities[end === "from" ? kind.toKind : kind.fromKind]!;
  const order = (a: Peer, b: Peer): number =>
    statistics.countOf(b.row) - statistics.countOf(a.row) ||
    names.hashOf(a.id) - names.hashOf(b.id) ||
    names.compare(a.id, b.id);
  const top: Peer[] = [];
  for (const peer of peersOf(graph, kind, end, node, lookedAtMax)) {
    if (top.length === peersMax && order(peer, top[peersMax - 1]!) > 0) continue;
    // From the end: most peers come in behind most others.
    let place = top.length;
    while (place > 0 && order(peer, top[place - 1]!) < 0) place--;
    top.splice(place, 0, peer);
    if (top.length > peersMax) top.pop();
  }
  return top;
}

function mostFrequent(graph: Graph, kind: LinkKind, end: "from" | "to", node: number): Peer[] {
  const id = graph.node(kind, end, node).mode[node]!;
  const { links } = graph;
  const row = end === "from" ? links.find(kind.index, 0, node, id) : links.find(kind.index, 0, id, node);
  return row === NO_ROW ? [] : [{ id, row }];
}
