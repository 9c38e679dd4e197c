import { Buffer } from "node:buffer";
import type { Graph } from "../graph-state/graph.ts";
import { HOST_KIND, type LinkKind, USER_KIND } from "../graph-state/link-kinds.ts";
import type { LinkRow } from "../graph-state/link-row.ts";
import { NO_ENTITY } from "../graph-state/names.ts";

export const ENTITY_KIND_NAMES = ["user", "host"] as const;
export type EntityKindName = (typeof ENTITY_KIND_NAMES)[number];

/** Links of a node that are looked at: a hub has hundreds of thousands, and scoring waits meanwhile. */
const LINKS_LOOKED_AT_MAX = 50_000;

/** What is known of one link. Times are event time, milliseconds since 1970. */
export type LinkView = {
  readonly name: string;
  readonly logins: number;
  readonly failures: number;
  readonly strongEvidence: number;
  readonly weakEvidence: number;
  readonly alerts: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
};

/** The links of one kind at an entity, the most frequent first. */
export type LinksView = {
  /** Such as `user-sourceHost`. */
  readonly link: string;
  /** Whether the entity is the first or the second of the two. */
  readonly end: "from" | "to";
  /** What stands at the other end: a user, a host, or a value such as an auth type. */
  readonly peerKind: "user" | "host" | "value";
  readonly total: number;
  readonly peers: readonly LinkView[];
};

export type EntityView = {
  readonly kind: EntityKindName;
  readonly name: string;
  readonly firstSeenMs: number | null;
  readonly lastSeenMs: number | null;
  readonly links: readonly LinksView[];
};

/**
 * What the graph knows of a user or a host; undefined if it knows nothing. Reads only.
 *
 * @param peersMax of each kind of link
 */
export function entityView(
  graph: Graph,
  kind: EntityKindName,
  name: string,
  peersMax: number,
): EntityView | undefined {
  const entityKind = kind === "user" ? USER_KIND : HOST_KIND;
  const bytes = Buffer.from(name);
  const id = graph.names.entities[entityKind]!.find(bytes, 0, bytes.length);
  if (id === NO_ENTITY) return undefined;
  const links = graph.kinds.flatMap((link) => [
    ...(link.fromKind === entityKind ? [linksView(graph, link, "from", id, peersMax)] : []),
    ...(link.toKind === entityKind ? [linksView(graph, link, "to", id, peersMax)] : []),
  ]);
  const known = links.filter(({ total }) => total > 0);
  if (known.length === 0) return undefined;
  const times = graph.kinds.flatMap((link) =>
    (["from", "to"] as const).flatMap((end) => {
      if (link.isProfile || (end === "from" ? link.fromKind : link.toKind) !== entityKind) return [];
      const { statistics } = graph.node(link, end, id);
      return statistics.countOf(id) > 0 ? [[statistics.firstMsOf(id), statistics.lastMsOf(id)] as const] : [];
    }),
  );
  return {
    kind,
    name,
    firstSeenMs: times.length === 0 ? null : Math.min(...times.map(([first]) => first)),
    lastSeenMs: times.length === 0 ? null : Math.max(...times.map(([, last]) => last)),
    links: known,
  };
}

function linksView(
  graph: Graph,
  link: LinkKind,
  end: "from" | "to",
  id: number,
  peersMax: number,
): LinksView {
  const { links } = graph;
  const { statistics } = links;
  const rows: LinkRow[] = [];
  let looked = 0;
  for (const row of graph.linksAt(link, end, id)) {
    if (++looked > LINKS_LOOKED_AT_MAX) break;
    if (links.relationOf(row) === 0) rows.push(row);
  }
  const top = rows.toSorted((a, b) => statistics.countOf(b) - statistics.countOf(a)).slice(0, peersMax);
  const peerKind = end === "from" ? link.toKind : link.fromKind;
  const names = graph.names.entities[peerKind]!;
  return {
    link: link.name,
    end,
    peerKind: peerKind === USER_KIND ? "user" : peerKind === HOST_KIND ? "host" : "value",
    total: rows.length,
    peers: top.map((row) => ({
      name: names.nameOf(end === "from" ? links.toOf(row) : links.fromOf(row)),
      logins: statistics.countOf(row),
      failures: statistics.failuresOf(row),
      strongEvidence: statistics.strongOf(row),
      weakEvidence: statistics.weakOf(row),
      alerts: statistics.alertsOf(row),
      firstSeenMs: statistics.firstMsOf(row),
      lastSeenMs: statistics.lastMsOf(row),
    })),
  };
}
