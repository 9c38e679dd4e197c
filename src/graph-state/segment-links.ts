import type { Buffer } from "node:buffer";
import type { LinkKind } from "./link-kinds.ts";
import type { LinkRow } from "./link-row.ts";
import type { LinkTable } from "./link-table.ts";
import type { Names } from "./names.ts";
import type { GraphPart, SegmentLink, SegmentName } from "./segment.ts";
import type { Statistics } from "./statistics.ts";

/** About what the numbers of a link take when encoded, mostly more. */
const LINK_BYTES = 51;
/** The same of a minute, or of its count. */
const RECENT_BYTES = 4;

/** The links of a graph, and the names that they stand for. */
export type NamedLinks = {
  readonly kinds: readonly LinkKind[];
  readonly links: LinkTable;
  readonly names: Names;
};

/** Links of a graph as a segment holds them: with names instead of ids, each name once. */
export class SegmentLinks {
  readonly #graph: NamedLinks;
  readonly #names: SegmentName[] = [];
  readonly #relations: Buffer[] = [];
  readonly #links: SegmentLink[] = [];
  readonly #placeOfName: readonly Map<number, number>[];
  readonly #placeOfRelation = new Map<number, number>();
  #bytes = 0;

  constructor(graph: NamedLinks) {
    this.#graph = graph;
    this.#placeOfName = graph.names.entities.map(() => new Map<number, number>());
  }

  /** About how many bytes these take when encoded. */
  get bytes(): number {
    return this.#bytes + this.#links.length * LINK_BYTES;
  }

  /** Adds a link with what row `at` of `statistics` says of it, and its newest minutes. */
  add(link: LinkRow, statistics: Statistics, at: number, recent: readonly number[]): void {
    const { links, kinds } = this.#graph;
    const kind = kinds[links.kindOf(link)]!;
    const firstMs = statistics.firstMsOf(at);
    this.#bytes += recent.length * RECENT_BYTES;
    this.#links.push({
      kind: kind.index,
      relation: this.#relation(links.relationOf(link)),
      from: this.#name(kind.fromKind, links.fromOf(link)),
      to: this.#name(kind.toKind, links.toOf(link)),
      count: statistics.countOf(at),
      failures: statistics.failuresOf(at),
      strong: statistics.strongOf(at),
      weak: statistics.weakOf(at),
      tickets: statistics.ticketsOf(at),
      alerts: statistics.alertsOf(at),
      suppressed: statistics.suppressedOf(at),
      firstMs,
      spanMs: statistics.lastMsOf(at) - firstMs,
      minutes: statistics.minutesOf(at),
      days: statistics.daysOf(at),
      bursts: statistics.burstsOf(at),
      oddNews: statistics.oddNewsOf(at),
      recent,
    });
  }

  toParts(): Pick<GraphPart, "names" | "relations" | "links"> {
    return { names: this.#names, relations: this.#relations, links: this.#links };
  }

  #name(kind: number, id: number): number {
    const places = this.#placeOfName[kind]!;
    let place = places.get(id);
    if (place === undefined) {
      place = this.#names.length;
      places.set(id, place);
      const name = this.#graph.names.entities[kind]!.bytesOf(id);
      this.#names.push({ kind, name });
      this.#bytes += name.length;
    }
    return place;
  }

  #relation(relation: number): number {
    if (relation === 0) return 0;
    let place = this.#placeOfRelation.get(relation);
    if (place === undefined) {
      const name = this.#graph.names.relations.bytesOf(relation - 1);
      place = this.#relations.push(name);
      this.#bytes += name.length;
      this.#placeOfRelation.set(relation, place);
    }
    return place;
  }
}
