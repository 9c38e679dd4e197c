import { z } from "zod";
import type { TrainingBatch } from "../backends/backend.ts";
import { Random } from "../random.ts";
import type { TrainingGraph } from "./training-graph.ts";

/**
 * What a fake puts in the place of one end of a link: any entity of that end's kind; one drawn as often as it is linked; one of about the
 * same degree; one that shares a peer with it. Or both ends stay, and the relation is another one between such ends.
 */
export const FAKE_KINDS = ["uniform", "degree", "degreeMatched", "sharedPeer", "swappedRelation"] as const;
export type FakeKind = (typeof FAKE_KINDS)[number];
type End = "from" | "to";

const share = z.number().min(0).max(1);
const SHARES_TOLERANCE = 1e-9;

/** Share of each kind among the fakes. Degree-matched ones are the most: only they can't be told by popularity. */
export const negativesSchema = z
  .strictObject({
    uniform: share.default(0.1),
    degree: share.default(0.1),
    degreeMatched: share.default(0.55),
    sharedPeer: share.default(0.15),
    swappedRelation: share.default(0.1),
  })
  .refine((shares) => Math.abs(sumOf(Object.values(shares)) - 1) < SHARES_TOLERANCE, {
    message: "the shares of fakes sum to 1",
  });
export type Negatives = z.infer<typeof negativesSchema>;

/** Draws for one fake before it is given up: others may be links. */
const DRAWS_MAX = 8;
/** An entity's match lies within so many places of it in the order of degrees, or within this share of its kind. */
const MATCH_PLACES_MIN = 8;
const MATCH_SHARE = 0.05;

/**
 * Draws fakes that are no links it knows of. A draw is O(log links); memory is about 50 bytes a trained link.
 *
 * What may be drawn, and how often, comes from the trained links alone: fakes know no more of the held-out links than messages do.
 */
export class FakeSampler {
  readonly #random: Random;
  readonly #graph: TrainingGraph;
  readonly #known: Int32Array;
  /** Ends of trained links by kind: a draw from it is a draw by degree. */
  readonly #ends: readonly Int32Array[];
  /** Entities of each kind, by degree, equal ones in random order: names are no neighbourhood. And each entity's place there. */
  readonly #byDegree: readonly Int32Array[];
  readonly #places: Int32Array;
  /** Peers of an entity lie together: entities + 1. */
  readonly #peerStarts: Int32Array;
  readonly #peers: Int32Array;
  /** Relations of trained links by the kinds of their ends: a draw from it is a draw by frequency. */
  readonly #relations: ReadonlyMap<number, readonly number[]>;

  /** @param known links that are no fakes, in ascending order: those trained on, or all when it is measured */
  constructor(graph: TrainingGraph, trained: Int32Array, known: Int32Array, seed: number, label: string) {
    this.#random = new Random(seed, label);
    this.#graph = graph;
    this.#known = known;
    const { entityCount, entityKind, linkFrom, linkTo, linkRelation } = graph;
    const ends = new Int32Array(2 * trained.length);
    const degrees = new Int32Array(entityCount + 1);
    const relations = new Map<number, number[]>();
    for (const [i, link] of trained.entries()) {
      const [from, to] = [linkFrom[link]!, linkTo[link]!];
      ends[2 * i] = from;
      ends[2 * i + 1] = to;
      degrees[from]!++;
      degrees[to]!++;
      const kinds = this.#kindsOf(from, to);
      const list = relations.get(kinds) ?? [];
      list.push(linkRelation[link]!);
      relations.set(kinds, list);
    }
    this.#relations = relations;
    this.#ends = graph.kindNames.map((_, kind) => ends.filter((entity) => entityKind[entity] === kind));
    this.#places = new Int32Array(entityCount);
    const ties = new Random(seed, `${label}, ties`);
    const tie = Float64Array.from({ length: entityCount }, () => ties.nextFloat());
    this.#byDegree = this.#ends.map((endsOfKind) =>
      Int32Array.from(new Set(endsOfKind)).sort((a, b) => degrees[a]! - degrees[b]! || tie[a]! - tie[b]!),
    );
    for (const order of this.#byDegree)
      for (const [place, entity] of order.entries()) this.#places[entity] = place;
    this.#peerStarts = new Int32Array(entityCount + 1);
    for (let entity = 0; entity < entityCount; entity++)
      this.#peerStarts[entity + 1] = this.#peerStarts[entity]! + degrees[entity]!;
    this.#peers = new Int32Array(ends.length);
    const next = this.#peerStarts.slice(0, entityCount);
    for (const link of trained) {
      const [from, to] = [linkFrom[link]!, linkTo[link]!];
      this.#peers[next[from]!++] = to;
      this.#peers[next[to]!++] = from;
    }
  }

  /** Makes entries n .. 2n - 1 of a batch fakes of entries 0 .. n - 1, mixed by shares. A fake that can't be had weighs nothing. */
  fill(batch: TrainingBatch, n: number, shares: Negatives): void {
    for (let i = 0; i < n; i++) {
      let draw = this.#random.nextFloat();
      const kind = FAKE_KINDS.find((name) => (draw -= shares[name]) < 0) ?? "degreeMatched";
      // Where there is no fake of a kind, one of the kind that most fakes have takes its place.
      const isMade = this.#make(batch, n, i, kind) || this.#make(batch, n, i, "degreeMatched");
      batch.weight[n + i] = isMade ? batch.weight[i]! : 0;
    }
  }

  /** The same with fakes of one kind only, and where an entity is replaced, of the end that is named. */
  fillWith(batch: TrainingBatch, n: number, kind: FakeKind, end?: (i: number) => End | undefined): void {
    for (let i = 0; i < n; i++)
      batch.weight[n + i] = this.#make(batch, n, i, kind, end?.(i)) ? batch.weight[i]! : 0;
  }

  #make(batch: TrainingBatch, n: number, i: number, kind: FakeKind, end?: End): boolean {
    const [from, relation, to] = [batch.from[i]!, batch.relation[i]!, batch.to[i]!];
    for (let draw = 0; draw < DRAWS_MAX; draw++) {
      batch.from[n + i] = from;
      batch.relation[n + i] = relation;
      batch.to[n + i] = to;
      if (kind === "swappedRelation") {
        batch.relation[n + i] = this.#otherRelation(from, to) ?? relation;
      } else {
        const ends = batch[end ?? (this.#random.nextFloat() < 0.5 ? "from" : "to")];
        ends[n + i] = this.#otherEntity(kind, ends[i]!) ?? ends[i]!;
      }
      const isSame =
        batch.from[n + i] === from && batch.relation[n + i] === relation && batch.to[n + i] === to;
      if (!isSame && !this.#isLink(batch.from[n + i]!, batch.relation[n + i]!, batch.to[n + i]!)) return true;
    }
    return false;
  }

  #otherEntity(fake: Exclude<FakeKind, "swappedRelation">, entity: number): number | undefined {
    const kind = this.#graph.entityKind[entity]!;
    const order = this.#byDegree[kind]!;
    switch (fake) {
      case "uniform":
        return this.#oneOf(order, 0, order.length);
      case "degree":
        return this.#oneOf(this.#ends[kind]!, 0, this.#ends[kind]!.length);
      case "degreeMatched": {
        const reach = Math.max(MATCH_PLACES_MIN, Math.round(order.length * MATCH_SHARE));
        const place = this.#places[entity]!;
        return this.#oneOf(order, Math.max(0, place - reach), Math.min(order.length, place + reach + 1));
      }
      case "sharedPeer": {
        const peer = this.#peerOf(entity);
        const other = peer === undefined ? undefined : this.#peerOf(peer);
        return other !== undefined && this.#graph.entityKind[other] === kind ? other : undefined;
      }
    }
  }

  #peerOf(entity: number): number | undefined {
    return this.#oneOf(this.#peers, this.#peerStarts[entity]!, this.#peerStarts[entity + 1]!);
  }

  #otherRelation(from: number, to: number): number | undefined {
    const relations = this.#relations.get(this.#kindsOf(from, to));
    return relations?.[this.#random.nextInt(relations.length)];
  }

  #kindsOf(from: number, to: number): number {
    const { entityKind, kindNames } = this.#graph;
    return entityKind[from]! * kindNames.length + entityKind[to]!;
  }

  #oneOf(items: Int32Array, begin: number, end: number): number | undefined {
    return end > begin ? items[begin + this.#random.nextInt(end - begin)] : undefined;
  }

  /** Binary search: links are in the order of their triples. */
  #isLink(from: number, relation: number, to: number): boolean {
    const { linkFrom, linkRelation, linkTo } = this.#graph;
    let low = 0;
    let high = this.#known.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      const link = this.#known[middle]!;
      const order = linkFrom[link]! - from || linkRelation[link]! - relation || linkTo[link]! - to;
      if (order === 0) return true;
      if (order < 0) low = middle + 1;
      else high = middle;
    }
    return false;
  }
}

function sumOf(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0);
}
