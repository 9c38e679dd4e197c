import type { FactReader, Facts } from "../graph-state/facts.ts";
import type { Familiarity } from "../graph-state/familiarity.ts";
import { frequentPeers, type Peer, peersOf } from "../graph-state/frequent-peers.ts";
import type { Graph } from "../graph-state/graph.ts";
import { HOST_KIND, type LinkKind, USER_KIND } from "../graph-state/link-kinds.ts";
import type { LinkRow } from "../graph-state/link-row.ts";
import { NO_ENTITY } from "../graph-state/names.ts";
import type { Column, Login } from "../ingest/login.ts";
import { type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import { type LoginTypes, TypesOfPairs } from "./login-types.ts";
import { nearestText } from "./nearest-words.ts";

/** Where two of the three entities are others, so many of the most frequent peers are combined with each other. */
const COMBINED_MAX = 16;
/** Of logins that share as many entities, so many of the most frequent ones are held against each other by type. */
const TYPED_MAX = 32;

/**
 * The login most like an odd one, of those that the graph knows as familiar.
 *
 * The graph remembers links, not logins: all links of this one are familiar, so each number is a bound. It was seen `logins` times at most, not before
 * `firstSeenMs`, and last at `lastSeenMs` at the latest; of a login with one link they are exact.
 */
export interface NearestLogin {
  /** Names; empty where the odd login has none, or no configured link tells of it. */
  readonly user: string;
  readonly sourceHost: string;
  readonly targetHost: string;
  /** Null where the graph does not tell: for a login on one host, and where links have no types. */
  readonly authType: string | null;
  readonly logonType: string | null;
  readonly logins: number;
  readonly firstSeenMs: number;
  readonly lastSeenMs: number;
  /** In which of its columns the odd login is another. */
  readonly differs: readonly Column[];
  readonly text: string;
}

/** A link that every candidate has to form, between two of its places. */
interface Bond {
  readonly kind: LinkKind;
  readonly from: number;
  readonly to: number;
}

/** Places of a login's entities; a login on one host has the same host in both roles, which is its second place. */
interface Shape {
  readonly isLocal: boolean;
  readonly bonds: readonly Bond[];
  /** The entity at each place. */
  readonly own: readonly number[];
}

interface Candidate {
  readonly ids: readonly number[];
  readonly types?: LoginTypes;
  readonly logins: number;
  readonly firstMs: number;
  readonly lastMs: number;
}

/**
 * Looks for nearest normal logins. Entities count first, then that it is the same account, for that is who is asked about, then types: by far the most logins
 * share a type with any other, so that it says little. Of equal ones the most frequent wins, then the latest, then the first by name. A login from host to
 * host is compared with such ones, and a login on one host with such ones. What shares no entity with the odd login is not like it.
 */
export class NearestLogins {
  readonly #graph: Graph;
  readonly #kinds: FactReader;
  readonly #familiarity: Familiarity;

  constructor(graph: Graph, kinds: FactReader, familiarity: Familiarity) {
    this.#graph = graph;
    this.#kinds = kinds;
    this.#familiarity = familiarity;
  }

  /** @param facts of this very login */
  find(login: Login, bytes: LoginBytes, facts: Facts): NearestLogin | undefined {
    const shape = this.#shapeOf(login, facts);
    const places = shape.own.flatMap((_, place) =>
      shape.bonds.some(({ from, to }) => from === place || to === place) ? [place] : [],
    );
    const types = new TypesOfPairs(this.#graph, this.#kinds.sourceTarget, login, bytes, (row) =>
      this.#isNormal(row, facts.timeMs),
    );
    for (let others = 0; others < places.length; others++) {
      const all = subsetsOf(places, others);
      for (const hasOtherAccount of [false, true]) {
        const found = all
          .filter((replaced) => replaced.includes(0) === hasOtherAccount)
          .flatMap((replaced) => this.#candidates(shape, replaced, facts.timeMs));
        const nearest = this.#nearestOf(found, shape, types);
        if (nearest !== undefined) return this.#told(nearest, shape, login, places);
      }
    }
    return undefined;
  }

  #shapeOf({ user, sourceHost, targetHost }: Login, { ids }: Facts): Shape {
    const { userSource, userTarget, sourceTarget } = this.#kinds;
    const isLocal = sourceHost !== "" && sourceHost === targetHost;
    const target = isLocal ? 1 : 2;
    const hasBoth = sourceHost !== "" && targetHost !== "" && !isLocal;
    const all: readonly [LinkKind | undefined, boolean, number, number][] = [
      [userSource, user !== "" && sourceHost !== "", 0, 1],
      [userTarget, user !== "" && targetHost !== "", 0, target],
      [sourceTarget, hasBoth, 1, 2],
    ];
    return {
      isLocal,
      bonds: all.flatMap(([kind, isFormed, from, to]) => (kind && isFormed ? [{ kind, from, to }] : [])),
      own: [ids[USER]!, ids[SOURCE_HOST]!, ...(isLocal ? [] : [ids[TARGET_HOST]!])],
    };
  }

  /** Normal logins with other entities at some places, and the odd login's at all others. */
  #candidates(shape: Shape, replaced: readonly number[], timeMs: number): Candidate[] {
    const { own } = shape;
    const [first, second] = replaced;
    let all: readonly (readonly number[])[] = [own];
    if (first !== undefined && second !== undefined) all = this.#withTwoOthers(shape, first, second);
    else if (first !== undefined)
      all = this.#others(shape, first).map((id) => own.map((same, place) => (place === first ? id : same)));
    return all.flatMap((ids) => {
      const isOther = ids.every((id, place) => replaced.includes(place) === (id !== own[place]));
      return (isOther && this.#candidateOf(shape, ids, timeMs)) || [];
    });
  }

  /** What could stand at one place: peers of what stands at another, of the one with fewer of them. */
  #others({ bonds, own }: Shape, place: number): number[] {
    const { fromNodes, toNodes } = this.#graph;
    const ends = bonds.flatMap(({ kind, from, to }) => {
      if (from !== place && to !== place) return [];
      const end = to === place ? ("from" as const) : ("to" as const);
      const node = own[to === place ? from : to]!;
      const degree = (end === "from" ? fromNodes : toNodes)[kind.index]!.degreeOf(node);
      return [{ kind, end, node, degree }];
    });
    const [fewest] = ends.sort((a, b) => a.degree - b.degree);
    return peersOf(this.#graph, fewest!.kind, fewest!.end, fewest!.node).map(({ id }) => id);
  }

  /** None where a link kind that would lead from the third place to either is not configured. */
  #withTwoOthers({ bonds, own }: Shape, first: number, second: number): (readonly number[])[] {
    const peersAt = (place: number): Peer[] => {
      const bond = bonds.find(
        ({ from, to }) => (from === place || to === place) && from + to !== first + second,
      );
      if (bond === undefined) return [];
      const { kind, from, to } = bond;
      return to === place
        ? frequentPeers(this.#graph, kind, "from", own[from]!, COMBINED_MAX)
        : frequentPeers(this.#graph, kind, "to", own[to]!, COMBINED_MAX);
    };
    const [firsts, seconds] = [peersAt(first), peersAt(second)];
    return firsts.flatMap((a) =>
      seconds.map((b) => own.map((same, place) => (place === first ? a.id : place === second ? b.id : same))),
    );
  }

  #candidateOf({ bonds, isLocal }: Shape, ids: readonly number[], timeMs: number): Candidate | undefined {
    // From a host to itself is a login of another shape.
    if (!isLocal && ids[1] !== NO_ENTITY && ids[1] === ids[2]) return undefined;
    const { links } = this.#graph;
    const rows: LinkRow[] = [];
    for (const { kind, from, to } of bonds) {
      if (ids[from] === NO_ENTITY || ids[to] === NO_ENTITY) return undefined;
      const row = links.find(kind.index, 0, ids[from]!, ids[to]!);
      if (!this.#isNormal(row, timeMs)) return undefined;
      rows.push(row);
    }
    return this.#counted(
      { ids, logins: Number.POSITIVE_INFINITY, firstMs: 0, lastMs: Number.POSITIVE_INFINITY },
      rows,
    );
  }

  /** Familiar, and not just tried: a guessed password makes links too. */
  #isNormal(row: LinkRow, timeMs: number): boolean {
    if (!this.#familiarity.isFamiliar(row, timeMs)) return false;
    const { statistics } = this.#graph.links;
    return statistics.failuresOf(row) < statistics.countOf(row);
  }

  #counted(candidate: Candidate, rows: readonly LinkRow[]): Candidate {
    const { statistics } = this.#graph.links;
    return {
      ...candidate,
      logins: Math.min(candidate.logins, ...rows.map((row) => statistics.countOf(row))),
      firstMs: Math.max(candidate.firstMs, ...rows.map((row) => statistics.firstMsOf(row))),
      lastMs: Math.min(candidate.lastMs, ...rows.map((row) => statistics.lastMsOf(row))),
    };
  }

  /** The nearest of those that share as many entities, and the account or not. */
  #nearestOf(found: readonly Candidate[], { isLocal }: Shape, types: TypesOfPairs): Candidate | undefined {
    const order = (a: Candidate, b: Candidate): number => this.#compare(a, b);
    if (isLocal) return found.toSorted(order)[0];
    const withTypes = (candidate: Candidate, told: LoginTypes | undefined): Candidate[] =>
      told === undefined ? [] : [{ ...this.#counted(candidate, [told.row]), types: told }];
    const same = found.flatMap((one) => withTypes(one, types.ownOf(one.ids[1]!, one.ids[2]!)));
    if (same.length > 0) return same.sort(order)[0];
    return found
      .toSorted(order)
      .slice(0, TYPED_MAX)
      .flatMap((one) => {
        const typed = withTypes(one, types.nearestOf(one.ids[1]!, one.ids[2]!));
        return typed.length > 0 ? typed : [one];
      })
      .sort(order)[0];
  }

  /** Negative if `a` is nearer, of two that share as many entities. */
  #compare(a: Candidate, b: Candidate): number {
    const byNumber =
      (b.types?.shared ?? 0) - (a.types?.shared ?? 0) || b.logins - a.logins || b.lastMs - a.lastMs;
    if (byNumber !== 0) return byNumber;
    for (const [place, id] of a.ids.entries()) {
      const other = b.ids[place]!;
      const names = this.#graph.names.entities[place === 0 ? USER_KIND : HOST_KIND]!;
      const byName = id === other ? 0 : names.compare(id, other);
      if (byName !== 0) return byName;
    }
    return 0;
  }

  #told(nearest: Candidate, shape: Shape, login: Login, places: readonly number[]): NearestLogin {
    const { entities } = this.#graph.names;
    const nameAt = (place: number): string =>
      places.includes(place)
        ? entities[place === 0 ? USER_KIND : HOST_KIND]!.nameOf(nearest.ids[place]!)
        : "";
    const { isLocal, bonds, own } = shape;
    const { types, logins, firstMs: firstSeenMs, lastMs: lastSeenMs } = nearest;
    const isOther = (place: number): boolean => nearest.ids[place] !== own[place];
    const target = isLocal ? 1 : 2;
    const differs: readonly [Column, boolean][] = [
      ["user", isOther(0)],
      ["sourceHost", isOther(1)],
      ["targetHost", isOther(target)],
      ["authType", typeof types?.authType === "string" && types.authType !== login.authType],
      ["logonType", typeof types?.logonType === "string" && types.logonType !== login.logonType],
    ];
    const told = {
      user: nameAt(0),
      sourceHost: nameAt(1),
      targetHost: nameAt(target),
      authType: types?.authType ?? null,
      logonType: types?.logonType ?? null,
      logins,
      firstSeenMs,
      lastSeenMs,
      differs: differs.flatMap(([column, isDifferent]) => (isDifferent ? [column] : [])),
    };
    return { ...told, text: nearestText(told, bonds.length === 1) };
  }
}

/** All choices of `count` of some places, in the order of places. */
function subsetsOf(places: readonly number[], count: number): (readonly number[])[] {
  if (count === 0) return [[]];
  return places.flatMap((place, i) =>
    subsetsOf(places.slice(i + 1), count - 1).map((rest) => [place, ...rest]),
  );
}
