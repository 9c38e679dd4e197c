import type { Facts } from "../graph-state/facts.ts";
import { frequentPeers } from "../graph-state/frequent-peers.ts";
import type { Graph } from "../graph-state/graph.ts";
import { HOST_KIND, isFormed, type LinkKind } from "../graph-state/link-kinds.ts";
import { NO_ROW } from "../graph-state/link-row.ts";
import { NO_ENTITY } from "../graph-state/names.ts";
import type { LoginBytes } from "../ingest/login-bytes.ts";
import type { LinkSignal, WhichEpoch } from "./link-signal.ts";

/** Hosts that are asked about, besides the observed one: as many as an explanation has time for. */
export const CANDIDATES_MAX = 256;
/** Of them, such as the entity is linked with itself. */
const OWN_MAX = 64;
/** And with which the other entity of the login is linked that has such a link too. */
const OTHERS_MAX = 32;
/** Its most frequent peers, around which others like it are looked for, and others of each. */
const SEEDS_MAX = 4;
const ALIKE_MAX = 6;
/** Peers of each that is like it. */
const THEIRS_MAX = 4;
/** Links looked at of a seed, and of one that is like the entity: there are many of them. See `LOOKED_AT_MAX`. */
const SEED_LINKS_MAX = 128;
const ALIKE_LINKS_MAX = 32;
/** As many as are read. */
const EXPECTED_MAX = 3;

/** A host to which a link was held likely. */
export type ForecastPeer = {
  readonly name: string;
  /** Share of logins whose links are no likelier, in (0, 1]. */
  readonly likelihood: number;
  /** How often the link was seen. */
  readonly logins: number;
};

/** To which hosts a model would have expected a link of a login to lead, the likeliest first. */
export type Forecast = {
  readonly kind: LinkKind;
  readonly peers: readonly ForecastPeer[];
  readonly observed: Omit<ForecastPeer, "name">;
  /** Place of the observed host among `candidates`, itself one of them; the likeliest is 1. */
  readonly rank: number;
  readonly candidates: number;
};

/**
 * Asks a graph model the other way round: not how likely the link was, but which one would have been.
 *
 * Candidates are hosts that the entity is linked with, or the login's other entity is in the same role, and those of the two-hop neighbourhood: of
 * others that share a host with it, or the observed host. Which they are does not depend on the order of links. Those that the epoch was not trained on are left out.
 */
export class PeerForecast {
  readonly #graph: Graph;
  readonly #link: LinkSignal;

  constructor(graph: Graph, link: LinkSignal) {
    this.#graph = graph;
    this.#link = link;
  }

  /** By link of the login that leads to a host; none without an epoch, or without anything to compare with. */
  of(login: LoginBytes, facts: Facts, which: WhichEpoch): Forecast[] {
    return this.#graph.kinds.flatMap((kind) => {
      if (kind.isProfile || kind.toKind !== HOST_KIND || !isFormed(kind, login)) return [];
      return this.#forecast(kind, login, facts.ids, which) ?? [];
    });
  }

  #forecast(kind: LinkKind, login: LoginBytes, ids: Facts["ids"], which: WhichEpoch): Forecast | undefined {
    const [from, observed] = [ids[kind.from]!, ids[kind.to]!];
    const others = this.#candidates(kind, login, ids, which);
    if (others.length === 0) return undefined;
    const found = this.#link.likelihoods(which, kind, from, [observed, ...others], login);
    if (found === undefined) return undefined;
    const [own, ...theirs] = found;
    const names = this.#graph.names.entities[kind.toKind]!;
    const ranked = others
      .map((id, i) => ({ id, ...theirs[i]! }))
      .sort((a, b) => b.logit - a.logit || names.compare(a.id, b.id));
    return {
      kind,
      peers: ranked.slice(0, EXPECTED_MAX).map(({ id, probability }) => ({
        name: names.nameOf(id),
        likelihood: rounded(probability),
        logins: this.#loginsOf(kind, from, id),
      })),
      observed: { likelihood: rounded(own!.probability), logins: this.#loginsOf(kind, from, observed) },
      rank: 1 + ranked.filter(({ logit }) => logit > own!.logit).length,
      candidates: 1 + others.length,
    };
  }

  /** The nearer ones first, until there are enough. */
  #candidates(kind: LinkKind, login: LoginBytes, ids: Facts["ids"], which: WhichEpoch): number[] {
    const graph = this.#graph;
    const [from, observed] = [ids[kind.from]!, ids[kind.to]!];
    const found = new Set<number>();
    const add = (id: number): void => {
      // No host is linked with itself.
      if (id === observed || (kind.fromKind === kind.toKind && id === from)) return;
      if (found.size < CANDIDATES_MAX && this.#link.isTrained(which, kind.toKind, id)) found.add(id);
    };
    const own = frequentPeers(graph, kind, "from", from, OWN_MAX).map(({ id }) => id);
    for (const id of own) add(id);
    for (const other of graph.kinds) {
      if (other === kind || other.isProfile || other.to !== kind.to || !isFormed(other, login)) continue;
      for (const { id } of frequentPeers(graph, other, "from", ids[other.from]!, OTHERS_MAX)) add(id);
    }
    for (const seed of [observed, ...own.slice(0, SEEDS_MAX)]) {
      for (const alike of frequentPeers(graph, kind, "to", seed, ALIKE_MAX, SEED_LINKS_MAX)) {
        if (alike.id === from || found.size >= CANDIDATES_MAX) continue;
        // No host is linked with itself.
        for (const { id } of frequentPeers(graph, kind, "from", alike.id, THEIRS_MAX, ALIKE_LINKS_MAX))
          if (kind.fromKind !== kind.toKind || id !== from) add(id);
      }
    }
    return [...found];
  }

  #loginsOf({ index }: LinkKind, from: number, to: number): number {
    const { links } = this.#graph;
    const row = from === NO_ENTITY || to === NO_ENTITY ? NO_ROW : links.find(index, 0, from, to);
    return row === NO_ROW ? 0 : links.statistics.countOf(row);
  }
}

/** To three digits: what is beyond may be another on another machine. */
function rounded(probability: number): number {
  return Number(probability.toPrecision(3));
}
