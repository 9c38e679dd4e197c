import { Buffer } from "node:buffer";
import type { Graph } from "./graph.ts";
import { finish, hashBytes, mix } from "./hash.ts";

const LANES = 4;

/**
 * Digest of all links and what logins say of them: equal for equal graphs, whatever the order in which they were built, and
 * whatever alerts were raised on the way. 128 bits in hex, a sum of hashes over the links; it guards against mistakes, not
 * against an adversary. O(links).
 */
export function digestOf(graph: Graph): string {
  const lanes = new Uint32Array(LANES);
  const { links } = graph;
  const { statistics } = links;
  const counters = [
    statistics.count,
    statistics.failures,
    statistics.strong,
    statistics.weak,
    statistics.days,
  ];
  const numbers = [statistics.firstMs, statistics.lastMs, statistics.minutes];
  const untyped = Buffer.alloc(0);
  for (let row = 0; row < links.rowCount; row++) {
    if (!links.isUsed(row)) continue;
    const kind = graph.kinds[links.kindOf(row)]!;
    const relation = links.relationOf(row);
    const from = graph.names[kind.fromKind]!.bytesOf(links.from[row]!);
    const to = graph.names[kind.toKind]!.bytesOf(links.to[row]!);
    const type = relation === 0 ? untyped : graph.relations.bytesOf(relation - 1);
    for (let lane = 0; lane < LANES; lane++) {
      let hash = mix(lane, kind.index);
      for (const name of [from, to, type]) hash = mix(hash, hashBytes(name, 0, name.length, lane));
      for (const column of counters) hash = mix(hash, column[row]!);
      for (const column of numbers) {
        hash = mix(mix(hash, column[row]! % 0x1_0000_0000), Math.floor(column[row]! / 0x1_0000_0000));
      }
      lanes[lane]! += finish(hash);
    }
  }
  return Buffer.from(lanes.buffer).toString("hex");
}
