import type { Graph } from "../graph-state/graph.ts";
import { findLinkKind, HOST_KIND } from "../graph-state/link-kinds.ts";

/** A host on which fewer accounts show strong evidence says nothing: each may have lost a ticket request. */
const ACCOUNTS_MIN = 5;
/** Share of them that may have asked for a ticket there. */
const ASKING_SHARE_MAX = 0.1;
const LISTED_MAX = 1000;

/** A source host, and how many accounts log on from it by a protocol that takes a ticket which they never asked for there. */
export type DelegatingSource = { readonly host: string; readonly accounts: number };

/**
 * Source hosts that log on in the name of others: front ends and job servers with delegated rights, from which many accounts come by
 * Kerberos, and hardly one of them ever asked for a ticket there. The contrast learns that such a host is so (`noTicket` is backed off to the share
 * of the host's accounts that asked), so it says little of what comes from there; they are listed, so that one which should not be among them is seen.
 *
 * O(hosts): for the end of a run, not for each login.
 *
 * @returns the one with most accounts first; none where the input holds no ticket requests
 */
export function delegatingSources(graph: Graph): DelegatingSource[] {
  const kind = findLinkKind(graph.kinds, "user", "sourceHost");
  if (kind === undefined || graph.ticketPairCounts[kind.index] === 0) return [];
  const nodes = graph.toNodes[kind.index]!;
  const names = graph.names.entities[HOST_KIND]!;
  const found: DelegatingSource[] = [];
  for (let host = 0; host < names.slotCount; host++) {
    if (nodes.degreeOf(host) === 0) continue;
    const accounts = nodes.strongDegree[host]!;
    if (accounts < ACCOUNTS_MIN || nodes.ticketDegree[host]! > ASKING_SHARE_MAX * accounts) continue;
    found.push({ host: names.nameOf(host), accounts });
  }
  return found.sort((a, b) => b.accounts - a.accounts || (a.host < b.host ? -1 : 1)).slice(0, LISTED_MAX);
}
