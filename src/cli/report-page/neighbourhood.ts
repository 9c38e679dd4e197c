import { Buffer } from "node:buffer";
import type { Graph } from "../../graph-state/graph.ts";
import { HOST_KIND, type LinkKind, USER_KIND } from "../../graph-state/link-kinds.ts";
import { NO_ROW } from "../../graph-state/link-row.ts";

/** Peers of one entity that are looked at, the most frequent first. */
const PEERS_MAX = 12;

/** The names of a login: empty where it says none. */
export type Route = { readonly user: string; readonly sourceHost: string; readonly targetHost: string };

export type Entity = {
  readonly kind: "user" | "host";
  readonly name: string;
  /** True if an alert names it; the others are frequent neighbours. */
  readonly isNamed: boolean;
};

/** All that the graph knows of one entity and another, whichever roles they had. */
export type Tie = {
  /** Positions in the list of entities. */
  readonly from: number;
  readonly to: number;
  /** By kind of link, such as `user-sourceHost`: logins in the window. */
  readonly logins: readonly (readonly [kind: string, count: number])[];
  /** True if an alert was about one of the links, or the graph no longer holds what an alert names. */
  readonly isOdd: boolean;
};

export type Neighbourhood = {
  readonly entities: readonly Entity[];
  readonly ties: readonly Tie[];
  /** Entities that the alerts name, and ties, that had no room. */
  readonly leftOut: { readonly named: number; readonly ties: number };
};

export type NeighbourhoodBounds = {
  /** Of those that alerts name, and of all. */
  readonly namedMax: number;
  readonly entitiesMax: number;
  /** Of those that no alert is about: the most frequent are kept, and the others are all kept. */
  readonly tiesMax: number;
};

type Node = { readonly kind: 0 | 1; readonly name: string; readonly id: number };
type Peer = { readonly node: Node; readonly count: number };

const NO_ID = -1;

/**
 * The graph around logins: what they name, in their order, then the most frequent neighbours of each, the first of all
 * before the second of any, for as long as there is room; and every tie that has an end in what is named. A pure function
 * of the graph's content: neither ids nor the order in which links came show.
 */
export function neighbourhood(
  graph: Graph,
  routes: readonly Route[],
  { namedMax, entitiesMax, tiesMax }: NeighbourhoodBounds,
): Neighbourhood {
  const all = namedIn(graph, routes);
  const named = [...all.values()].slice(0, namedMax);
  const nodes = new Map(named.map((node) => [keyOf(node), node]));
  const peers = named.map((node) => peersOf(graph, node));
  for (let rank = 0; rank < PEERS_MAX; rank++) {
    for (const list of peers) {
      const peer = list[rank];
      if (peer !== undefined && nodes.size < entitiesMax) nodes.set(keyOf(peer.node), peer.node);
    }
  }
  const drawn = [...nodes.values()];
  const ties = tiesOf(graph, drawn, named.length, routes);
  const kept = strongest(ties, tiesMax);
  return {
    entities: drawn.map(({ kind, name }, i) => ({
      kind: kind === USER_KIND ? "user" : "host",
      name,
      isNamed: i < named.length,
    })),
    ties: kept,
    leftOut: { named: all.size - named.length, ties: ties.length - kept.length },
  };
}

function namedIn(graph: Graph, routes: readonly Route[]): Map<string, Node> {
  const nodes = new Map<string, Node>();
  for (const route of routes) {
    for (const node of endsOf(graph, route)) if (node.name !== "") nodes.set(keyOf(node), node);
  }
  return nodes;
}

function endsOf(graph: Graph, { user, sourceHost, targetHost }: Route): [Node, Node, Node] {
  return [
    nodeOf(graph, USER_KIND, user),
    nodeOf(graph, HOST_KIND, sourceHost),
    nodeOf(graph, HOST_KIND, targetHost),
  ];
}

function nodeOf(graph: Graph, kind: 0 | 1, name: string): Node {
  const bytes = Buffer.from(name);
  return { kind, name, id: graph.names.entities[kind]!.find(bytes, 0, bytes.length) };
}

function keyOf({ kind, name }: Node): string {
  return `${kind}${name}`;
}

function isEntityKind(kind: number): kind is 0 | 1 {
  return kind === USER_KIND || kind === HOST_KIND;
}

/** The most frequent peers, over all kinds of link. */
function peersOf(graph: Graph, node: Node): Peer[] {
  const best = new Map<string, Peer>();
  for (const kind of graph.kinds) {
    if (kind.isProfile) continue;
    if (kind.fromKind === node.kind) offerPeers(graph, node, kind, "from", best);
    if (kind.toKind === node.kind) offerPeers(graph, node, kind, "to", best);
  }
  return [...best.values()].sort(byCount).slice(0, PEERS_MAX);
}

function offerPeers(
  graph: Graph,
  { id }: Node,
  kind: LinkKind,
  end: "from" | "to",
  best: Map<string, Peer>,
): void {
  const peerKind = end === "from" ? kind.toKind : kind.fromKind;
  if (id === NO_ID || !isEntityKind(peerKind)) return;
  const { links, names } = graph;
  const interner = names.entities[peerKind]!;
  const idOf = (row: number) => (end === "from" ? links.toOf(row) : links.fromOf(row));
  // The peers of a hub are many: their names are only made for those that stay.
  let rows: number[] = [];
  const shorten = () => {
    const order = (a: number, b: number) =>
      links.statistics.countOf(b) - links.statistics.countOf(a) || interner.compare(idOf(a), idOf(b));
    rows = rows.sort(order).slice(0, PEERS_MAX);
  };
  for (const row of graph.linksAt(kind, end, id)) {
    if (links.relationOf(row) !== 0) continue;
    rows.push(row);
    if (rows.length >= 64 * PEERS_MAX) shorten();
  }
  shorten();
  for (const row of rows) {
    const peer = {
      node: { kind: peerKind, name: interner.nameOf(idOf(row)), id: idOf(row) },
      count: links.statistics.countOf(row),
    };
    const key = keyOf(peer.node);
    if ((best.get(key)?.count ?? 0) < peer.count) best.set(key, peer);
  }
}

function byCount(a: Peer, b: Peer): number {
  const [left, right] = [keyOf(a.node), keyOf(b.node)];
  return b.count - a.count || (left < right ? -1 : left > right ? 1 : 0);
}

function tiesOf(graph: Graph, nodes: readonly Node[], namedCount: number, routes: readonly Route[]): Tie[] {
  const ties: Tie[] = [];
  const place = new Map(nodes.map((node, i) => [keyOf(node), i]));
  const told = pairsOf(graph, routes, place);
  for (let from = 0; from < nodes.length; from++) {
    for (let to = 0; to < nodes.length; to++) {
      if (from === to || Math.min(from, to) >= namedCount) continue;
      const logins: [string, number][] = [];
      let isOdd = false;
      for (const kind of graph.kinds) {
        const row = rowOf(graph, kind, nodes[from]!, nodes[to]!);
        if (row === NO_ROW) continue;
        logins.push([kind.name, graph.links.statistics.countOf(row)]);
        isOdd ||= graph.links.statistics.alertsOf(row) > 0;
      }
      if (logins.length > 0) ties.push({ from, to, logins, isOdd });
      else if (told.has(`${from} ${to}`)) ties.push({ from, to, logins, isOdd: true });
    }
  }
  return ties;
}

/** Logins of a tie, by the kind of link that has most. */
export function mostLogins({ logins }: Tie): number {
  return Math.max(0, ...logins.map(([, count]) => count));
}

function strongest(ties: readonly Tie[], countMax: number): Tie[] {
  const known = ties.filter(({ isOdd }) => !isOdd).sort((a, b) => mostLogins(b) - mostLogins(a));
  const dropped = new Set(known.slice(countMax));
  return ties.filter((tie) => !dropped.has(tie));
}

function rowOf(graph: Graph, kind: LinkKind, from: Node, to: Node): number {
  const isFit = !kind.isProfile && kind.fromKind === from.kind && kind.toKind === to.kind;
  return isFit && from.id !== NO_ID && to.id !== NO_ID
    ? graph.links.find(kind.index, 0, from.id, to.id)
    : NO_ROW;
}

/** Ends of the links that the logins are made of, as places. */
function pairsOf(
  graph: Graph,
  routes: readonly Route[],
  place: ReadonlyMap<string, number>,
): ReadonlySet<string> {
  const pairs = new Set<string>();
  for (const route of routes) {
    const [user, source, target] = endsOf(graph, route).map((node) => place.get(keyOf(node)));
    for (const [from, to] of [
      [user, source],
      [user, target],
      [source, target],
    ])
      if (from !== undefined && to !== undefined && from !== to) pairs.add(`${from} ${to}`);
  }
  return pairs;
}
