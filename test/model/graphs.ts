import { Buffer } from "node:buffer";
import { Random } from "../../src/model/random.ts";
import type { TrainingGraph } from "../../src/model/training/training-graph.ts";
import type { TrainingInput } from "../../src/model/training/training-input.ts";
import type { SnapshotNames, TrainingSnapshot } from "../../src/model/training/training-snapshot.ts";

/**
 * Two departments of users and hosts that keep to themselves: every link stays inside one. `crossings` adds links between.
 */
export function twoCommunities(options: {
  readonly users: number;
  readonly hosts: number;
  readonly links: number;
}) {
  const { users, hosts, links } = options;
  const random = new Random(7, "two communities");
  const chosen = new Map<string, [number, number, number]>();
  while (chosen.size < links) {
    const community = random.nextInt(2);
    const user = random.nextInt(users / 2) * 2 + community;
    const host = users + random.nextInt(hosts / 2) * 2 + community;
    const relation = random.nextInt(2);
    chosen.set(`${user} ${relation} ${host}`, [user, relation, host]);
  }
  const sorted = [...chosen.values()].sort((a, b) => a[0] - b[0] || a[1] - b[1] || a[2] - b[2]);
  const graph: TrainingGraph = {
    entityCount: users + hosts,
    entityKind: Uint8Array.from({ length: users + hosts }, (_, i) => (i < users ? 0 : 1)),
    kindNames: ["user", "host"],
    relationNames: ["user-sourceHost", "user-targetHost"],
    linkFrom: Int32Array.from(sorted, (link) => link[0]),
    linkRelation: Int32Array.from(sorted, (link) => link[1]),
    linkTo: Int32Array.from(sorted, (link) => link[2]),
    linkCount: Float64Array.from(sorted, (_, i) => 1 + (i % 5)),
    linkWeak: new Float64Array(sorted.length),
    linkFailures: new Float64Array(sorted.length),
    linkFirstMs: Float64Array.from(sorted, (_, i) => (i * 7919) % 1000),
    linkLastMs: Float64Array.from(sorted, (_, i) => 1000 + ((i * 7919) % 1000)),
    watermarkMs: 2000,
  };
  const entityNames = Array.from({ length: users + hosts }, (_, i) =>
    i < users ? `U${i}` : `C${i - users}`,
  );
  return { graph, entityNames };
}

/** A snapshot that gives such a graph, its entities in the order of their names. */
export function snapshotOf({ graph, entityNames }: TrainingInput): TrainingSnapshot {
  const kindOf = (entity: number): number => graph.entityKind[entity]!;
  const ofKind = graph.kindNames.map((_, kind) =>
    Array.from(graph.entityKind.keys()).filter((entity) => kindOf(entity) === kind),
  );
  const placeOf = (entity: number): number => ofKind[kindOf(entity)]!.indexOf(entity);
  return {
    kindNames: graph.kindNames,
    entityNames: ofKind.map((entities) => namesAs(entities.map((entity) => entityNames[entity]!))),
    linkKinds: graph.relationNames.map((name) => ({ name, fromKind: 0, toKind: 1 })),
    relationNames: namesAs([]),
    kind: Uint8Array.from(graph.linkRelation),
    relation: new Int32Array(graph.linkRelation.length),
    from: graph.linkFrom.map(placeOf),
    to: graph.linkTo.map(placeOf),
    count: graph.linkCount.slice(),
    weak: graph.linkWeak.slice(),
    failures: graph.linkFailures.slice(),
    firstMs: graph.linkFirstMs.slice(),
    lastMs: graph.linkLastMs.slice(),
    watermarkMs: graph.watermarkMs,
  };
}

function namesAs(names: readonly string[]): SnapshotNames {
  let end = 0;
  return {
    bytes: new TextEncoder().encode(names.join("")),
    ends: Uint32Array.from(names, (name) => (end += Buffer.byteLength(name))),
  };
}
