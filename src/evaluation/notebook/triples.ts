import assert from "node:assert/strict";
import { NumberColumn } from "../timed-scores.ts";

/** Room for the number of a node in a key of two; more hosts than that don't fit in memory either. */
const NODES_COUNT_MAX = 2 ** 26;

/**
 * Rows of a log as the notebook sees them: (source host, relation, target host), one a login. Rows are kept, since how often
 * a triple comes is its weight in training; what is in them is kept once.
 *
 *   a row        triple:f64                                          8 B
 *   a triple     source, relation, target, and its place in a Map    some 80 B
 */
export class TripleRows {
  readonly #nodes = new Map<string, number>();
  readonly #relations = new Map<string, number>();
  /** Triple by pair of nodes, one map a relation. */
  readonly #byPair: Map<number, number>[] = [];
  readonly #tripleOfRow = new NumberColumn();
  readonly sources: number[] = [];
  readonly relations: number[] = [];
  readonly targets: number[] = [];

  get length(): number {
    return this.#tripleOfRow.length;
  }

  get nodeCount(): number {
    return this.#nodes.size;
  }

  get relationCount(): number {
    return this.#relations.size;
  }

  /** The same rows, with another relation for each. */
  withRelations(relationOf: (relation: string) => string): TripleRows {
    const nodes = [...this.#nodes.keys()];
    const relations = Array.from(this.#relations.keys(), relationOf);
    const rows = new TripleRows();
    for (let row = 0; row < this.length; row++) {
      const triple = this.tripleOf(row);
      rows.add(
        nodes[this.sources[triple]!]!,
        relations[this.relations[triple]!]!,
        nodes[this.targets[triple]!]!,
      );
    }
    return rows;
  }

  /** Relations of some rows, each once, in the order of their names. */
  relationNames(isAmong: (row: number) => boolean): string[] {
    const names = [...this.#relations.keys()];
    const found = new Set<string>();
    for (let row = 0; row < this.length; row++)
      if (isAmong(row)) found.add(names[this.relations[this.tripleOf(row)]!]!);
    return [...found].sort();
  }

  tripleOf(row: number): number {
    return this.#tripleOfRow.get(row);
  }

  add(source: string, relation: string, target: string): void {
    const s = idOf(this.#nodes, source);
    const t = idOf(this.#nodes, target);
    const r = idOf(this.#relations, relation);
    assert(this.#nodes.size <= NODES_COUNT_MAX, "no more hosts than a key has room for");
    this.#byPair[r] ??= new Map();
    const key = s * NODES_COUNT_MAX + t;
    let triple = this.#byPair[r].get(key);
    if (triple === undefined) {
      triple = this.sources.length;
      this.#byPair[r].set(key, triple);
      this.sources.push(s);
      this.relations.push(r);
      this.targets.push(t);
    }
    this.#tripleOfRow.push(triple);
  }
}

/** Part of the rows, with numbers of its own: nodes and relations that only others have are unknown to it. */
export type TrainingRows = {
  readonly nodeCount: number;
  readonly relationCount: number;
  /** By distinct triple: its ends, its relation, and how many rows have it. */
  readonly sources: Int32Array;
  readonly relations: Int32Array;
  readonly targets: Int32Array;
  readonly counts: Float64Array;
  /** Distinct triple of each row. */
  readonly rows: Int32Array;
  /** Number of a node and of a relation here by their number in all rows, or -1. */
  readonly nodeOf: Int32Array;
  readonly relationOf: Int32Array;
};

/** @param knowsAll whether hosts that only other rows have are nodes too, without an edge, as in the notebook's own splits */
export function trainingRows(
  all: TripleRows,
  isTraining: (row: number) => boolean,
  knowsAll = false,
): TrainingRows {
  const nodeOf = new Int32Array(all.nodeCount).fill(-1);
  if (knowsAll) for (let node = 0; node < all.nodeCount; node++) nodeOf[node] = node;
  const relationOf = new Int32Array(all.relationCount).fill(-1);
  const tripleOf = new Int32Array(all.sources.length).fill(-1);
  const triples: number[] = [];
  const counts: number[] = [];
  const rows: number[] = [];
  let nodeCount = knowsAll ? all.nodeCount : 0;
  let relationCount = 0;
  for (let row = 0; row < all.length; row++) {
    if (!isTraining(row)) continue;
    const triple = all.tripleOf(row);
    if (tripleOf[triple] === -1) {
      tripleOf[triple] = triples.length;
      triples.push(triple);
      counts.push(0);
      for (const node of [all.sources[triple]!, all.targets[triple]!]) {
        if (nodeOf[node] === -1) nodeOf[node] = nodeCount++;
      }
      const relation = all.relations[triple]!;
      if (relationOf[relation] === -1) relationOf[relation] = relationCount++;
    }
    const own = tripleOf[triple]!;
    counts[own]!++;
    rows.push(own);
  }
  return {
    nodeCount,
    relationCount,
    sources: Int32Array.from(triples, (triple) => nodeOf[all.sources[triple]!]!),
    relations: Int32Array.from(triples, (triple) => relationOf[all.relations[triple]!]!),
    targets: Int32Array.from(triples, (triple) => nodeOf[all.targets[triple]!]!),
    counts: Float64Array.from(counts),
    rows: Int32Array.from(rows),
    nodeOf,
    relationOf,
  };
}

function idOf(ids: Map<string, number>, name: string): number {
  let id = ids.get(name);
  if (id === undefined) ids.set(name, (id = ids.size));
  return id;
}
