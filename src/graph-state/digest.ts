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
  const untyped = Buffer.alloc(0);
  for (let row = 0; row < links.rowCount; row++) {
    if (!links.isUsed(row)) continue;
    const kind = graph.kinds[links.kindOf(row)]!;
    const relation = links.relationOf(row);
    const from = graph.names.entities[kind.fromKind]!.bytesOf(links.fromOf(row));
    const to = graph.names.entities[kind.toKind]!.bytesOf(links.toOf(row));
    const type = relation === 0 ? untyped : graph.names.relations.bytesOf(relation - 1);
    const counters = [
      statistics.countOf(row),
      statistics.failuresOf(row),
      statistics.strongOf(row),
      statistics.weakOf(row),
      statistics.ticketsOf(row),
      statistics.daysOf(row),
    ];
    const numbers = [statistics.firstMsOf(row), statistics.lastMsOf(row), statistics.minutesOf(row)];
    for (let lane = 0; lane < LANES; lane++) {
      let hash = mix(lane, kind.index);
      for (const name of [from, to, type]) hash = mix(hash, hashBytes(name, 0, name.length, lane));
      for (const counter of counters) hash = mix(hash, counter);
      for (const number of numbers) {
        hash = mix(mix(hash, number % 0x1_0000_0000), Math.floor(number / 0x1_0000_0000));
      }
      lanes[lane]! += finish(hash);
    }
  }
  return Buffer.from(lanes.buffer).toString("hex");
}
