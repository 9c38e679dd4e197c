import type { Facts } from "../graph-state/facts.ts";
import type { Familiarity } from "../graph-state/familiarity.ts";
import type { Graph } from "../graph-state/graph.ts";
import { ENTITY_KINDS, type LinkKind, RELATION_SEPARATOR } from "../graph-state/link-kinds.ts";
import type { LinkRow } from "../graph-state/link-row.ts";
import { NO_ENTITY } from "../graph-state/names.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { Decoder } from "./decoders/decoder.ts";
import { DECODERS, relationVectors } from "./decoders/decoders.ts";
import type { Epoch } from "./epoch.ts";
import { meanInputs, meanRelations } from "./epoch-means.ts";
import { featureNeighbours } from "./features/epoch-features.ts";
import { liveTotals } from "./features/live-totals.ts";
import type { FeatureNeighbours } from "./features/node-features.ts";
import { relationNameOf } from "./relation-names.ts";
import { embedUnknown, type Neighbour } from "./rgcn.ts";
import { tailProbability } from "./tail.ts";
import { groupedName } from "./topics/relation-topics.ts";
import { Topics } from "./topics/topic-model.ts";
import { relationName } from "./training/training-input.ts";

const UNRESOLVED = -2;
const UNKNOWN = -1;
/** An unknown entity with more peers than this is embedded without them: which of them to look at would be arbitrary. */
export const NEIGHBOURS_MAX = 1024;
/** A link's relation is below that. */
const RELATION_IDS = 1 << 16;

/** -ln of how likely the graph model finds the links of a login, NaN where it says nothing of one. */
export type LinkOddness = {
  userSource: number;
  userTarget: number;
  sourceTarget: number;
};

/** The epoch that is in force, or the one in its shadow. */
export type WhichEpoch = "inForce" | "challenger";

/** How likely a model finds a link: its decoder's logit, and the share of logins whose links are no likelier, in (0, 1]. */
export type Likelihood = { readonly logit: number; readonly probability: number };

/** By the columns that a link leads from and to. */
const ODDNESS_OF: Readonly<Record<string, keyof LinkOddness>> = {
  "user-sourceHost": "userSource",
  "user-targetHost": "userTarget",
  "sourceHost-targetHost": "sourceTarget",
};

/**
 * The link signal: would the graph have predicted this login's links? The least likely of them counts, corrected for
 * having looked at several.
 *
 * An entity that the epoch does not know is embedded on the spot from its live neighbours.
 */
export class LinkSignal {
  /** Of the login asked about last, link by link. */
  readonly oddness: LinkOddness = {
    userSource: Number.NaN,
    userTarget: Number.NaN,
    sourceTarget: Number.NaN,
  };
  readonly #graph: Graph;
  readonly #familiarity: Familiarity;
  #model: AdoptedEpoch | undefined;
  #challenger: AdoptedEpoch | undefined;

  /** @param familiarity which links are known: nothing has to be predicted then */
  constructor(graph: Graph, familiarity: Familiarity) {
    this.#graph = graph;
    this.#familiarity = familiarity;
  }

  /** Whether the login asked about last has an account or a host that the epoch in force does not know, in a link that is not familiar. */
  get metUnseen(): boolean {
    return this.#model?.metUnseen ?? false;
  }

  /** Uses an epoch from now on. */
  adopt(epoch: Epoch): void {
    this.#model = new AdoptedEpoch(epoch, this.#graph);
  }

  /** An epoch that can be asked beside it; none any more if undefined. */
  challenge(epoch: Epoch | undefined): void {
    this.#challenger = epoch && new AdoptedEpoch(epoch, this.#graph);
  }

  /** Tail probability in (0, 1], or undefined before the first epoch or if the login forms no link that it knows. */
  probability(login: LoginBytes, facts: Facts, which: WhichEpoch = "inForce"): number | undefined {
    const { oddness } = this;
    oddness.userSource = oddness.userTarget = oddness.sourceTarget = Number.NaN;
    const model = this.#modelOf(which);
    if (model === undefined) return undefined;
    model.metUnseen = false;
    let least = Number.POSITIVE_INFINITY;
    let links = 0;
    for (const kind of this.#graph.kinds) {
      if (kind.isProfile || login.isAbsent(kind.from) || login.isAbsent(kind.to)) continue;
      if (kind.fromKind === kind.toKind && login.isSame(kind.from, kind.to)) continue;
      const probability = this.#familiarity.isFamiliar(facts.rows[kind.index]!, facts.timeMs)
        ? 1
        : model.probability(kind, facts.ids[kind.from]!, facts.ids[kind.to]!, login);
      if (probability === undefined) continue;
      const place = ODDNESS_OF[kind.name];
      if (place !== undefined) oddness[place] = 0 - Math.log(probability);
      links++;
      if (probability < least) least = probability;
    }
    return links === 0 ? undefined : Math.min(1, least * links);
  }

  /**
   * How likely links of a login's kind and type are, from one entity to each of some others, whether they are known or not; an entity may be
   * `NO_ENTITY`. Undefined without an epoch that says something of such links.
   */
  likelihoods(
    which: WhichEpoch,
    kind: LinkKind,
    from: number,
    tos: readonly number[],
    login: LoginBytes,
  ): Likelihood[] | undefined {
    return this.#modelOf(which)?.likelihoods(kind, from, tos, login);
  }

  /** Whether an epoch was trained on an entity. */
  isTrained(which: WhichEpoch, entityKind: number, id: number): boolean {
    return this.#modelOf(which)?.isTrained(entityKind, id) ?? false;
  }

  #modelOf(which: WhichEpoch): AdoptedEpoch | undefined {
    return which === "inForce" ? this.#model : this.#challenger;
  }
}

/** An epoch with what it takes to find its rows by the graph's entity ids. */
class AdoptedEpoch {
  /** Set when an entity that it was not trained on had to be embedded. */
  metUnseen = false;
  readonly #epoch: Epoch;
  readonly #graph: Graph;
  readonly #rowsByName: readonly Map<string, number>[];
  /** Row by entity id, for users and hosts, and the version of the id it was found for. */
  readonly #rows: Int32Array[] = [new Int32Array(0), new Int32Array(0)];
  readonly #versions: Int32Array[] = [new Int32Array(0), new Int32Array(0)];
  readonly #meanInput: readonly Float32Array[];
  readonly #relations: Map<string, number>;
  readonly #topics: Topics | undefined;
  readonly #features: FeatureNeighbours | undefined;
  readonly #decoder: Decoder;
  /** What the decoder reads: relations x dimensions. */
  readonly #vectors: Float32Array;
  /** Relation of the epoch by the key of a kind and a relation of the graph, and the version of the latter's id. */
  readonly #relationOfKey = new Map<
    number,
    { readonly version: number; readonly relation: number | undefined }
  >();
  /** Stands in for a relation of a class that the epoch knows under other types only. */
  readonly #meanRelation: ReadonlyMap<string, Float32Array>;

  constructor(epoch: Epoch, graph: Graph) {
    this.#epoch = epoch;
    this.#graph = graph;
    const { shape } = epoch.manifest;
    this.#decoder = DECODERS[shape.decoder];
    this.#vectors = relationVectors(shape, epoch.parameters);
    this.#rowsByName = epoch.manifest.kindNames.map(() => new Map());
    for (const [row, name] of epoch.entityNames.entries())
      this.#rowsByName[epoch.entityKinds[row]!]!.set(name, row);
    this.#meanInput = meanInputs(epoch);
    this.#relations = new Map(epoch.manifest.relationNames.map((name, relation) => [name, relation]));
    this.#meanRelation = meanRelations(epoch);
    const { topics } = epoch.manifest;
    this.#topics = topics === null ? undefined : new Topics(topics);
    this.#features = featureNeighbours(epoch);
  }

  probability(kind: LinkKind, from: number, to: number, login: LoginBytes): number | undefined {
    const tail = this.#epoch.manifest.calibration[kind.name];
    if (tail === undefined) return undefined;
    const relation = this.#relationNamed(nameOfRelation(kind, login));
    const begin = this.#embedding(kind.fromKind, from);
    return tailProbability(tail, -this.#logit(kind, relation, begin, to));
  }

  likelihoods(
    kind: LinkKind,
    from: number,
    tos: readonly number[],
    login: LoginBytes,
  ): Likelihood[] | undefined {
    const tail = this.#epoch.manifest.calibration[kind.name];
    if (tail === undefined) return undefined;
    const relation = this.#relationNamed(nameOfRelation(kind, login));
    const begin = this.#embedding(kind.fromKind, from);
    return tos.map((to) => {
      const logit = this.#logit(kind, relation, begin, to);
      return { logit, probability: tailProbability(tail, -logit) };
    });
  }

  isTrained(kind: number, id: number): boolean {
    return id !== NO_ENTITY && this.#rowOf(kind, id) !== UNKNOWN;
  }

  /** Of a link under a relation of the epoch, or under one in the middle of its class. */
  #logit(kind: LinkKind, relation: number | undefined, begin: Float32Array, to: number): number {
    const { dimensions: d } = this.#epoch.manifest.shape;
    const end = this.#embedding(kind.toKind, to);
    return relation === undefined
      ? this.#decoder.score(begin, 0, this.#meanRelation.get(kind.name)!, 0, end, 0, d)
      : this.#decoder.score(begin, 0, this.#vectors, relation * d, end, 0, d);
  }

  #embedding(kind: number, id: number): Float32Array {
    const { dimensions: d, relations } = this.#epoch.manifest.shape;
    const row = id === NO_ENTITY ? UNKNOWN : this.#rowOf(kind, id);
    if (row !== UNKNOWN) return this.#epoch.output.subarray(row * d, (row + 1) * d);
    this.metUnseen = true;
    const neighbours = id === NO_ENTITY ? [] : this.#neighbours(kind, id, relations);
    if (this.#features !== undefined) {
      const totalsOf = liveTotals(this.#graph, kind, id);
      neighbours.push(...this.#features.of(ENTITY_KINDS[kind]!, totalsOf, this.#graph.window.watermarkMs));
    }
    const { shape } = this.#epoch.manifest;
    return embedUnknown(
      shape,
      this.#epoch.parameters,
      this.#epoch.hidden,
      this.#meanInput[kind]!,
      neighbours,
    );
  }

  /** Live neighbours of an entity that the epoch knows, with the relation by which their message comes. */
  #neighbours(kind: number, id: number, relations: number): Neighbour[] {
    const graph = this.#graph;
    const found: Neighbour[] = [];
    const links = graph.kinds.filter(({ isProfile }) => !isProfile);
    let degree = 0;
    for (const { index, fromKind, toKind } of links) {
      if (fromKind === kind) degree += graph.fromNodes[index]!.degreeOf(id);
      if (toKind === kind) degree += graph.toNodes[index]!.degreeOf(id);
    }
    if (degree > NEIGHBOURS_MAX) return [];
    for (const link of links) {
      if (link.fromKind === kind) {
        for (const row of graph.linksAt(link, "from", id))
          this.#collect(link, row, graph.links.toOf(row), link.toKind, relations, found);
      }
      if (link.toKind === kind) {
        for (const row of graph.linksAt(link, "to", id))
          this.#collect(link, row, graph.links.fromOf(row), link.fromKind, 0, found);
      }
    }
    return found;
  }

  #collect(
    link: LinkKind,
    row: LinkRow,
    peer: number,
    peerKind: number,
    offset: number,
    found: Neighbour[],
  ): void {
    const isTyped = this.#graph.links.relationOf(row) !== 0;
    if (isTyped !== link.relation.length > 0) return;
    const relation = this.#relationOf(row);
    const known = this.#rowOf(peerKind, peer);
    if (relation !== undefined && known !== UNKNOWN) found.push({ message: offset + relation, row: known });
  }

  /** The epoch's relation of a link; looked up by name once for each name that an id is given to. */
  #relationOf(row: LinkRow): number | undefined {
    const { links, names } = this.#graph;
    const id = links.relationOf(row);
    const key = links.kindOf(row) * RELATION_IDS + id;
    const version = id === 0 ? 0 : names.relations.versionOf(id - 1);
    let found = this.#relationOfKey.get(key);
    if (found?.version !== version) {
      found = { version, relation: this.#relationNamed(relationName(this.#graph, row)) };
      this.#relationOfKey.set(key, found);
    }
    return found.relation;
  }

  #relationNamed(name: string): number | undefined {
    return this.#relations.get(this.#topics === undefined ? name : groupedName(name, this.#topics));
  }

  /** The epoch's row of an entity; looked up by name once for each name that an id is given to. */
  #rowOf(kind: number, id: number): number {
    const interner = this.#graph.names.entities[kind]!;
    let rows = this.#rows[kind]!;
    let versions = this.#versions[kind]!;
    if (id >= rows.length) {
      const capacity = Math.max(interner.slotCount, rows.length * 2);
      const grownRows = new Int32Array(capacity).fill(UNRESOLVED, rows.length);
      grownRows.set(rows);
      const grownVersions = new Int32Array(capacity);
      grownVersions.set(versions);
      this.#rows[kind] = rows = grownRows;
      this.#versions[kind] = versions = grownVersions;
    }
    const version = interner.versionOf(id);
    if (rows[id] === UNRESOLVED || versions[id] !== version) {
      rows[id] = this.#rowsByName[kind]!.get(interner.nameOf(id)) ?? UNKNOWN;
      versions[id] = version;
    }
    return rows[id]!;
  }
}

/** As `relationName` names the row that the login would be added to. */
function nameOfRelation({ name, relation }: LinkKind, login: LoginBytes): string {
  const type = relation.map((column) => login.text(column)).join(RELATION_SEPARATOR);
  return relationNameOf(name, relation.length === 0 ? undefined : type);
}
