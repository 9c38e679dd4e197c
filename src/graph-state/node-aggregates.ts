import { grown } from "./interner.ts";
import { NO_ROW } from "./link-row.ts";
import { Statistics } from "./statistics.ts";

const NODES_AT_FIRST = 64;

/**
 * What all links of one kind say together about the node at one of their ends: "this user as the source of its
 * user-sourceHost links". Row = entity id.
 *
 * The statistics are sums over those links (first the least, last the greatest); `degree` counts distinct peers, and of them
 * `strongDegree` those with strong evidence, `ticketDegree` those with a ticket request; the
 * mode is the peer with the most logins, ties going to the lower name hash, so that it does not depend on order.
 * Their day map may still hold days before the window's edge.
 * `head` starts the node's adjacency list in the link table.
 */
export class NodeAggregates {
  readonly statistics = new Statistics(NODES_AT_FIRST);
  degree = new Int32Array(NODES_AT_FIRST);
  strongDegree = new Int32Array(NODES_AT_FIRST);
  ticketDegree = new Int32Array(NODES_AT_FIRST);
  mode = new Int32Array(NODES_AT_FIRST).fill(NO_ROW);
  modeCount = new Uint32Array(NODES_AT_FIRST);
  head = new Int32Array(NODES_AT_FIRST).fill(NO_ROW);
  /** 1 where a link that held first, last or mode is gone, so that they must be read anew from those left. */
  stale = new Uint8Array(NODES_AT_FIRST);
  /** How many nodes have at least one such link. */
  nodeCount = 0;

  /** Makes room for entity ids below `count`. */
  reserve(count: number): void {
    if (count <= this.degree.length) return;
    const capacity = Math.max(count, this.degree.length * 2);
    const old = this.degree.length;
    this.statistics.grow(capacity);
    this.degree = grown(this.degree, new Int32Array(capacity));
    this.strongDegree = grown(this.strongDegree, new Int32Array(capacity));
    this.ticketDegree = grown(this.ticketDegree, new Int32Array(capacity));
    this.modeCount = grown(this.modeCount, new Uint32Array(capacity));
    this.mode = grown(this.mode, new Int32Array(capacity)).fill(NO_ROW, old);
    const stale = new Uint8Array(capacity);
    stale.set(this.stale);
    this.stale = stale;
    this.head = grown(this.head, new Int32Array(capacity)).fill(NO_ROW, old);
  }

  degreeOf(entity: number): number {
    return entity >= 0 && entity < this.degree.length ? this.degree[entity]! : 0;
  }

  countOf(entity: number): number {
    return this.degreeOf(entity) === 0 ? 0 : this.statistics.countOf(entity);
  }

  /** A first link of a node that had none: empty its row, which may hold a predecessor's numbers. */
  begin(entity: number): void {
    this.clear(entity);
    this.nodeCount++;
  }

  /** Nothing known of the node; its links are counted anew by whoever clears. */
  clear(entity: number): void {
    this.statistics.clear(entity);
    this.mode[entity] = NO_ROW;
    this.modeCount[entity] = 0;
    this.stale[entity] = 0;
  }

  /** Says that the link to `peer` now stands for `count` logins. `hashOf` breaks ties. */
  offerMode(entity: number, peer: number, count: number, hashOf: (id: number) => number): void {
    const best = this.modeCount[entity]!;
    if (count < best) return;
    const mode = this.mode[entity]!;
    if (count > best || peer === mode || mode === NO_ROW || hashOf(peer) < hashOf(mode)) {
      this.mode[entity] = peer;
      this.modeCount[entity] = count;
    }
  }

  /** Takes the sums of a removed link out. What is not a sum (first, last, mode) is marked stale if the link held it. */
  subtract(entity: number, peer: number, links: Statistics, row: number): void {
    const sums = this.statistics;
    sums.subtractRow(entity, links, row);
    const holds =
      this.mode[entity] === peer ||
      links.firstMsOf(row) <= sums.firstMsOf(entity) ||
      links.lastMsOf(row) >= sums.lastMsOf(entity);
    if (holds) this.stale[entity] = 1;
  }
}
