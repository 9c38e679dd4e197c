import { Buffer } from "node:buffer";
import type { Graph } from "../../graph-state/graph.ts";
import { ENTITY_KINDS, HOST_KIND, USER_KIND } from "../../graph-state/link-kinds.ts";

/** Kinds of entities that a model knows: places in `ENTITY_KINDS`, in the order of the graph that is trained on. */
const KINDS: readonly number[] = [USER_KIND, HOST_KIND];

/** What names stand for, in the order in which the graph has them: bytes of all names, and where each ends. */
export type SnapshotNames = { readonly bytes: Uint8Array; readonly ends: Uint32Array };

/**
 * The links of the window that may be trained on, as they lie in the graph: columns with one element a link. Plain data for another
 * thread, taken in one go between two logins, so it holds copies and nothing else; what takes time is done with them there.
 */
export type TrainingSnapshot = {
  readonly kindNames: readonly string[];
  /** Names by kind of entity, those that no link has left out. */
  readonly entityNames: readonly SnapshotNames[];
  readonly linkKinds: readonly {
    readonly name: string;
    readonly fromKind: number;
    readonly toKind: number;
  }[];
  readonly relationNames: SnapshotNames;
  /** Place in `linkKinds`. */
  readonly kind: Uint8Array;
  /** 0 for a link without a type, else one more than a place in `relationNames`. */
  readonly relation: Int32Array;
  /** Places in the names of their kinds. */
  readonly from: Int32Array;
  readonly to: Int32Array;
  readonly count: Float64Array;
  readonly weak: Float64Array;
  readonly failures: Float64Array;
  readonly firstMs: Float64Array;
  readonly lastMs: Float64Array;
  readonly watermarkMs: number;
};

/**
 * Copies the links of the window out of the graph.
 *
 * Links with an alert stay out, unless somebody has said that they are in order: an attack that is repeated must not become what the model
 * expects. O(links), some ten milliseconds for 100,000.
 */
export function trainingSnapshot(graph: Graph): TrainingSnapshot {
  const { links, names, kinds } = graph;
  const rows = new Int32Array(links.rowCount);
  let count = 0;
  for (let row = 0; row < links.rowCount; row++) {
    if (!links.isUsed(row)) continue;
    if (links.statistics.alertsOf(row) > 0 && graph.judgementOf(row) !== "benign") continue;
    const kind = kinds[links.kindOf(row)]!;
    const isTyped = links.relationOf(row) !== 0;
    if (!kind.isProfile && isTyped === kind.relation.length > 0) rows[count++] = row;
  }
  const snapshot = {
    kind: new Uint8Array(count),
    relation: new Int32Array(count),
    from: new Int32Array(count),
    to: new Int32Array(count),
    count: new Float64Array(count),
    weak: new Float64Array(count),
    failures: new Float64Array(count),
    firstMs: new Float64Array(count),
    lastMs: new Float64Array(count),
  };
  const entities = KINDS.map((kind) => new Places(names.entities[kind]!));
  const relations = new Places(names.relations);
  const placesOf = new Map(KINDS.map((kind, place) => [kind, entities[place]!]));
  for (let i = 0; i < count; i++) {
    const row = rows[i]!;
    const { index, fromKind, toKind } = kinds[links.kindOf(row)]!;
    const relation = links.relationOf(row);
    snapshot.kind[i] = index;
    snapshot.relation[i] = relation === 0 ? 0 : 1 + relations.of(relation - 1);
    snapshot.from[i] = placesOf.get(fromKind)!.of(links.fromOf(row));
    snapshot.to[i] = placesOf.get(toKind)!.of(links.toOf(row));
    snapshot.count[i] = links.statistics.countOf(row);
    snapshot.weak[i] = links.statistics.weakOf(row);
    snapshot.failures[i] = links.statistics.failuresOf(row);
    snapshot.firstMs[i] = links.statistics.firstMsOf(row);
    snapshot.lastMs[i] = links.statistics.lastMsOf(row);
  }
  return {
    ...snapshot,
    kindNames: KINDS.map((kind) => ENTITY_KINDS[kind]!),
    entityNames: entities.map((places) => places.names()),
    relationNames: relations.names(),
    linkKinds: kinds.map(({ name, fromKind, toKind }) => ({
      name,
      fromKind: KINDS.indexOf(fromKind),
      toKind: KINDS.indexOf(toKind),
    })),
    watermarkMs: graph.window.watermarkMs,
  };
}

/** The arrays of a snapshot, to be handed to a thread instead of copied once more. */
export function snapshotBuffers(snapshot: TrainingSnapshot): ArrayBuffer[] {
  const { kind, relation, from, to, count, weak, failures, firstMs, lastMs } = snapshot;
  return [kind, relation, from, to, count, weak, failures, firstMs, lastMs].map(
    ({ buffer }) => buffer as ArrayBuffer,
  );
}

/** Names one by one, in their order. */
export function namesOf({ bytes, ends }: SnapshotNames): Buffer[] {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  return Array.from(ends, (end, i) => all.subarray(i === 0 ? 0 : ends[i - 1], end));
}

/** Gives each id of an interner that is asked for a place of its own, in the order in which they are asked for. */
class Places {
  readonly #interner: { readonly slotCount: number; bytesOf(id: number): Buffer };
  readonly #places: Int32Array;
  readonly #ids: number[] = [];

  constructor(interner: { readonly slotCount: number; bytesOf(id: number): Buffer }) {
    this.#interner = interner;
    this.#places = new Int32Array(interner.slotCount).fill(-1);
  }

  of(id: number): number {
    const place = this.#places[id]!;
    if (place >= 0) return place;
    this.#places[id] = this.#ids.length;
    return this.#ids.push(id) - 1;
  }

  names(): SnapshotNames {
    const ends = new Uint32Array(this.#ids.length);
    const names = this.#ids.map((id) => this.#interner.bytesOf(id));
    let end = 0;
    for (const [i, { length }] of names.entries()) ends[i] = end += length;
    return { bytes: new Uint8Array(Buffer.concat(names)), ends };
  }
}
