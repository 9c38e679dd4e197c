import type { Graph } from "../graph-state/graph.ts";
import { type LinkKind, RELATION_SEPARATOR } from "../graph-state/link-kinds.ts";
import { type LinkRow, NO_ROW } from "../graph-state/link-row.ts";
import type { Login } from "../ingest/login.ts";
import { AUTH_TYPE, LOGON_TYPE, type LoginBytes } from "../ingest/login-bytes.ts";

/** Where logins are of more types than that, only the odd login's own type is looked for. */
const RELATIONS_MAX = 128;

/** How hosts log on to each other: what a typed link tells. A type is null where the link does not tell it. */
export interface LoginTypes {
  readonly row: LinkRow;
  readonly authType: string | null;
  readonly logonType: string | null;
  /** In how many of the two the odd login is the same. */
  readonly shared: number;
}

/** A type of link in the graph: one more than its id, and what it is made of. */
interface Relation extends Omit<LoginTypes, "row"> {
  readonly relation: number;
}

/** By which types pairs of hosts are linked, as seen from an odd login. */
export class TypesOfPairs {
  readonly #graph: Graph;
  readonly #kind: LinkKind | undefined;
  readonly #isNormal: (row: LinkRow) => boolean;
  readonly #own: Relation | undefined;
  readonly #login: Login;
  /** Read when first asked for. */
  #others: readonly Relation[] | undefined;

  /** @param kind of links from host to host; those without types tell nothing */
  constructor(
    graph: Graph,
    kind: LinkKind | undefined,
    login: Login,
    bytes: LoginBytes,
    isNormal: (row: LinkRow) => boolean,
  ) {
    this.#graph = graph;
    this.#kind = kind;
    this.#isNormal = isNormal;
    this.#login = login;
    if (kind === undefined) return;
    const relation = graph.names.findRelation(bytes, kind.relation);
    const authType = kind.relation.includes(AUTH_TYPE) ? login.authType : null;
    const logonType = kind.relation.includes(LOGON_TYPE) ? login.logonType : null;
    if (relation !== 0) this.#own = this.#relationOf(relation, authType, logonType);
  }

  /** The odd login's own types, if the pair is normally linked by them. */
  ownOf(source: number, target: number): LoginTypes | undefined {
    return this.#own && this.#typesOf(this.#own, source, target);
  }

  /** Of the other types by which the pair is normally linked, those that share most; of equal ones the most frequent, the latest, the first by name. */
  nearestOf(source: number, target: number): LoginTypes | undefined {
    const { statistics } = this.#graph.links;
    let best: LoginTypes | undefined;
    for (const relation of (this.#others ??= this.#readOthers())) {
      const types = this.#typesOf(relation, source, target);
      if (types === undefined) continue;
      // They are in the order of their names, so that the first of equal ones stays.
      const isBetter =
        best === undefined ||
        (types.shared - best.shared ||
          statistics.countOf(types.row) - statistics.countOf(best.row) ||
          statistics.lastMsOf(types.row) - statistics.lastMsOf(best.row)) > 0;
      if (isBetter) best = types;
    }
    return best;
  }

  #typesOf({ relation, ...types }: Relation, source: number, target: number): LoginTypes | undefined {
    const row = this.#graph.links.find(this.#kind!.index, relation, source, target);
    return row !== NO_ROW && this.#isNormal(row) ? { row, ...types } : undefined;
  }

  #relationOf(relation: number, authType: string | null, logonType: string | null): Relation {
    const shared =
      (authType === this.#login.authType ? 1 : 0) + (logonType === this.#login.logonType ? 1 : 0);
    return { relation, authType, logonType, shared };
  }

  /** By name. A name that can be taken apart in several ways, for a type has a separator in it, tells no types. */
  #readOthers(): Relation[] {
    const { relations } = this.#graph.names;
    const columns = this.#kind?.relation ?? [];
    if (columns.length === 0 || relations.size > RELATIONS_MAX) return [];
    const found: Relation[] = [];
    const ids: number[] = [];
    for (let id = 0; id < relations.slotCount; id++) if (relations.isHeld(id)) ids.push(id);
    for (const id of ids.sort((a, b) => relations.compare(a, b))) {
      if (id + 1 === this.#own?.relation) continue;
      const parts = relations.nameOf(id).split(RELATION_SEPARATOR);
      const isClear = parts.length === columns.length;
      const partOf = (column: number): string | null =>
        isClear ? (parts[columns.indexOf(column)] ?? null) : null;
      found.push(this.#relationOf(id + 1, partOf(AUTH_TYPE), partOf(LOGON_TYPE)));
    }
    return found;
  }
}
