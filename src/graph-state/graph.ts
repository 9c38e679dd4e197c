import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { COLUMNS } from "../ingest/login.ts";
import { AUTH_TYPE, FAILURE, LOGON_TYPE, type LoginBytes, STRONG, WEAK } from "../ingest/login-bytes.ts";
import { Delta } from "./delta.ts";
import { ExpiryWheel } from "./expiry-wheel.ts";
import { type HourlyBins, HourlyHistograms } from "./hourly-histograms.ts";
import { type Incident, OpenIncidents } from "./incidents.ts";
import { Interner } from "./interner.ts";
import {
  DEFAULT_LINK_KINDS,
  findLinkKind,
  HOST_KIND,
  type LinkKind,
  type LinkKindConfig,
  linkKinds,
  USER_KIND,
} from "./link-kinds.ts";
import { type LinkRow, LinkTable, NO_ROW } from "./link-table.ts";
import { NewLinkCounters } from "./new-link-counters.ts";
import { NodeAggregates } from "./node-aggregates.ts";
import type { GraphPart } from "./segment.ts";
import { SegmentLinks } from "./segment-links.ts";
import { Statistics } from "./statistics.ts";
import { Window, type WindowOptions } from "./window.ts";

/** Unknown entity, or absent column, in an array of entity ids by column. */
export const NO_ENTITY = -1;

/** Distinct relations (such as `NTLM::Network`); a link of a further one is kept without its type. */
const RELATIONS_MAX = 65_000;
/** Evicting at the cap makes room for this share of all links at once. */
const EVICTION_SHARE = 0.01;

export type GraphOptions = {
  readonly links?: readonly LinkKindConfig[];
  readonly window: Pick<WindowOptions, "days" | "maxLinks">;
};

/**
 * The graph of who usually logs in where: the sum of all segments in the window.
 *
 * A login changes it by `apply`, a segment by `addPart`; both come to the same sums. `takeDelta` hands out what was added
 * since the last call. No I/O, no clock, no randomness: event time moves it on, by `advance`.
 */
export class Graph {
  /** Names by entity kind: users, hosts, values. */
  readonly names: readonly Interner[] = [new Interner(), new Interner(), new Interner()];
  /** Names such as `NTLM::Network`. */
  readonly relations = new Interner();
  readonly kinds: readonly LinkKind[];
  readonly links = new LinkTable();
  /**
   * By link kind: what the links say about their from end, and about their to end. Of a value, the end of a profile link,
   * only the degree is kept: it is no node. First, last and mode are to be read through `node`.
   */
  readonly fromNodes: readonly NodeAggregates[];
  readonly toNodes: readonly NodeAggregates[];
  /** By link kind: number of distinct pairs. */
  readonly pairCounts: Float64Array;
  readonly window: Window;
  readonly histograms = new HourlyHistograms();
  readonly incidents = new OpenIncidents();
  /** Event time of the first login ever seen, +Infinity before it. */
  originMs = Number.POSITIVE_INFINITY;
  /** Links evicted at the cap so far. */
  evictedCount = 0;

  readonly #linksMax: number;
  /** True if every link that may go has gone, until the next delta is taken. */
  #hasNoneToEvict = false;
  /** New targets by source host, if such links are configured. */
  readonly #newTargets = new NewLinkCounters();
  readonly #sourceTarget: LinkKind | undefined;
  readonly #wheel: ExpiryWheel;
  readonly #delta = new Delta(this.links);
  readonly #relationScratch = Buffer.alloc(1024);
  /** What is being added to links: one row. */
  readonly #change = new Statistics(1);
  readonly #hashOfName: readonly ((id: number) => number)[];

  constructor(options: GraphOptions) {
    this.kinds = linkKinds(options.links ?? DEFAULT_LINK_KINDS);
    this.fromNodes = this.kinds.map(() => new NodeAggregates());
    this.toNodes = this.kinds.map(() => new NodeAggregates());
    this.pairCounts = new Float64Array(this.kinds.length);
    this.window = new Window(options.window);
    this.#wheel = new ExpiryWheel(this.links, this.window);
    this.#linksMax = options.window.maxLinks;
    this.#sourceTarget = findLinkKind(this.kinds, "sourceHost", "targetHost");
    this.#hashOfName = this.names.map((interner) => (id: number) => interner.hashOf(id));
  }

  /** Users and hosts that have at least one link. */
  get entityCount(): number {
    return this.names[USER_KIND]!.size + this.names[HOST_KIND]!.size;
  }

  /** Distinct pairs of the configured link kinds. */
  get linkCount(): number {
    return this.kinds.reduce((sum, kind) => sum + (kind.isProfile ? 0 : this.pairCounts[kind.index]!), 0);
  }

  /** Moves event time on; forgets what fell out of the window if its edge moved. */
  advance(timeMs: number): void {
    if (timeMs < this.originMs) this.originMs = timeMs;
    const isStep = this.window.wouldStep(timeMs);
    this.window.advance(timeMs);
    if (isStep) for (const link of this.#wheel.expired()) this.#removeLink(link);
    // Never while links are being added: eviction may release names that were looked up for them.
    this.#makeRoomFor(this.kinds.length * 2);
  }

  /** Looks the login's names up: `ids[column]` is the entity, or `NO_ENTITY` if absent or unknown. */
  resolve(login: LoginBytes, ids: Int32Array): void {
    for (let column = 0; column < COLUMNS.length; column++) {
      ids[column] = login.isAbsent(column)
        ? NO_ENTITY
        : this.names[kindOfColumn(column)]!.find(
            login.buffers[column]!,
            login.starts[column]!,
            login.ends[column]!,
          );
    }
  }

  /** Looks the pairs of a login up: `rows[kind]` is the pair's row, or `NO_ROW` if it is unknown or the login does not form it. */
  resolvePairs(login: LoginBytes, ids: Int32Array, rows: Int32Array): void {
    for (const kind of this.kinds) {
      const from = ids[kind.from]!;
      const to = ids[kind.to]!;
      const isKnown = from !== NO_ENTITY && to !== NO_ENTITY && isFormed(kind, login);
      rows[kind.index] = isKnown ? this.links.find(kind.index, 0, from, to) : NO_ROW;
    }
  }

  /** True if at least one configured kind makes a link of the login. */
  hasLink(login: LoginBytes): boolean {
    return this.kinds.some((kind) => !kind.isProfile && isFormed(kind, login));
  }

  /**
   * Adds a login (or evidence) to every link it forms. `ids` comes from `resolve` and is completed with new entities; `rows`
   * from `resolvePairs`, if that was called and nothing has changed since.
   */
  apply(login: LoginBytes, ids: Int32Array, rows?: Int32Array): void {
    this.#change.setOne(
      0,
      login.timeMs,
      login.outcome === FAILURE ? 1 : 0,
      login.evidence === STRONG ? 1 : 0,
      login.evidence === WEAK ? 1 : 0,
    );
    for (const kind of this.kinds) {
      if (!isFormed(kind, login)) continue;
      const from = this.#intern(kind.from, login, ids);
      const to = this.#intern(kind.to, login, ids);
      this.#addChange(kind, 0, from, to, true, rows?.[kind.index]);
      if (kind.relation === "untyped") continue;
      const relation = this.#internRelation(kind, login);
      if (relation > 0) this.#addChange(kind, relation, from, to, true);
    }
  }

  /** Notes an alert on the links of a login that was applied before: they stay out of training. */
  markAlert(login: LoginBytes, ids: Int32Array): void {
    for (const kind of this.kinds) {
      if (kind.isProfile || !isFormed(kind, login)) continue;
      const rows = [this.links.find(kind.index, 0, ids[kind.from]!, ids[kind.to]!)];
      if (kind.relation !== "untyped") {
        const relation = this.#internRelation(kind, login);
        if (relation > 0) rows.push(this.links.find(kind.index, relation, ids[kind.from]!, ids[kind.to]!));
      }
      for (const row of rows) {
        assert(row !== NO_ROW, "an alert on a link that was never added");
        this.links.statistics.addAlert(row);
        this.#delta.statistics.addAlert(this.#delta.placeOf(row));
        if (this.links.relationOf(row) !== 0) continue;
        this.fromNodes[kind.index]!.statistics.addAlert(this.links.fromOf(row));
        this.toNodes[kind.index]!.statistics.addAlert(this.links.toOf(row));
      }
    }
  }

  /** New targets of a source host first seen within `hours` (at most 24) before `timeMs`. */
  newTargetsWithin(source: number, hours: number, timeMs: number): number {
    return this.#newTargets.within(source, hours, timeMs);
  }

  /**
   * What the links of one kind say about the node at one end, with first, last and mode made good if a link that held
   * one of them was forgotten: those are no sums, and reading them is rarer than forgetting.
   */
  node(kind: LinkKind, end: "from" | "to", entity: number): NodeAggregates {
    const isFrom = end === "from";
    const nodes = isFrom ? this.fromNodes[kind.index]! : this.toNodes[kind.index]!;
    if (entity < 0 || entity >= nodes.stale.length || nodes.stale[entity] === 0) return nodes;
    const next = isFrom ? this.links.nextOfFrom : this.links.nextOfTo;
    const hashOf = this.#hashOfName[isFrom ? kind.toKind : kind.fromKind]!;
    nodes.clear(entity);
    for (let row = nodes.head[entity]!; row !== NO_ROW; row = next[row]!) {
      if (this.links.relationOf(row) !== 0) continue;
      nodes.statistics.addRow(entity, this.links.statistics, row);
      const peer = isFrom ? this.links.toOf(row) : this.links.fromOf(row);
      nodes.offerMode(entity, peer, this.links.statistics.countOf(row), hashOf);
    }
    return nodes;
  }

  /** Rows of the links of one kind at a node: pairs and typed links, in no particular order. */
  *linksFrom(kind: LinkKind, entity: number): Generator<LinkRow> {
    const nodes = this.fromNodes[kind.index]!;
    if (entity < 0 || entity >= nodes.head.length) return;
    for (let row = nodes.head[entity]!; row !== NO_ROW; row = this.links.nextOfFrom[row]!) yield row;
  }

  /** The same for links that lead to a node. */
  *linksTo(kind: LinkKind, entity: number): Generator<LinkRow> {
    const nodes = this.toNodes[kind.index]!;
    if (entity < 0 || entity >= nodes.head.length) return;
    for (let row = nodes.head[entity]!; row !== NO_ROW; row = this.links.nextOfTo[row]!) yield row;
  }

  /** True if a link was changed since the last delta was taken. */
  get isDirty(): boolean {
    return this.#delta.size > 0;
  }

  /** What was added since the last call, in parts of about `bytesMax` encoded bytes; one at least. */
  takeDelta(bytesMax: number): GraphPart[] {
    const { rows, statistics } = this.#delta;
    const parts = [
      ...this.#toParts(
        rows,
        statistics,
        true,
        bytesMax,
        this.histograms.takeDelta(),
        this.incidents.takeDelta(),
      ),
    ];
    this.#delta.clear();
    this.#hasNoneToEvict = false;
    return parts;
  }

  /**
   * The whole graph in parts of about `bytesMax` encoded bytes; one at least. Nothing may be added, nor time move on,
   * before the last was taken.
   */
  toParts(bytesMax: number): Generator<GraphPart> {
    return this.#toParts(
      this.#rowsByNode(),
      this.links.statistics,
      false,
      bytesMax,
      this.histograms.all(),
      this.incidents.all(),
    );
  }

  /**
   * All rows, those that begin at the same node together: whoever adds them finds what it needs of that node, and its name, at
   * hand.
   */
  #rowsByNode(): Int32Array {
    const rows = new Int32Array(this.links.size);
    let size = 0;
    for (const { head } of this.fromNodes) {
      for (const first of head) {
        for (let row = first; row !== NO_ROW; row = this.links.nextOfFrom[row]!) rows[size++] = row;
      }
    }
    return rows;
  }

  /** `isPacked`: what is said of the link `rows[i]` is in row `i` of `statistics`, not in row `rows[i]`. */
  *#toParts(
    rows: Int32Array,
    statistics: Statistics,
    isPacked: boolean,
    bytesMax: number,
    histograms: readonly HourlyBins[],
    incidents: readonly Incident[],
  ): Generator<GraphPart> {
    const { watermarkMs } = this.window;
    const { originMs } = this;
    for (let i = 0, isFirst = true; isFirst || i < rows.length; isFirst = false) {
      const links = new SegmentLinks(this);
      for (; i < rows.length && links.bytes < bytesMax; i++) {
        links.add(rows[i]!, statistics, isPacked ? i : rows[i]!);
      }
      const rest = isFirst ? { histograms, incidents } : { histograms: [], incidents: [] };
      yield { watermarkMs, originMs, ...links.toParts(), ...rest };
    }
  }

  /** Adds what another process, or an earlier one, saw. It is not part of this graph's own delta. */
  addPart(part: GraphPart): void {
    if (part.originMs < this.originMs) this.originMs = part.originMs;
    if (part.watermarkMs !== Number.NEGATIVE_INFINITY) this.advance(part.watermarkMs);
    this.#makeRoomFor(part.links.length);
    const ids = part.names.map(({ kind, name }) => this.names[kind]!.intern(name, 0, name.length));
    const relations = part.relations.map((name) => this.relations.intern(name, 0, name.length) + 1);
    for (const link of part.links) {
      const relation = link.relation === 0 ? 0 : relations[link.relation - 1]!;
      this.#change.set(0, link);
      this.#addChange(this.kinds[link.kind]!, relation, ids[link.from]!, ids[link.to]!, false);
    }
    this.histograms.add(part.histograms);
    this.incidents.addAll(part.incidents, this.window.watermarkMs);
  }

  /** At the cap, the longest silent links go, a hundredth of all at once. */
  #makeRoomFor(links: number): void {
    const excess = this.links.size + links - this.#linksMax;
    if (excess <= 0 || this.#hasNoneToEvict) return;
    let wanted = Math.max(excess, Math.floor(this.#linksMax * EVICTION_SHARE));
    for (const link of this.#wheel.longestSilent(wanted)) {
      this.#removeLink(link);
      this.evictedCount++;
      wanted--;
    }
    // What is left is in no segment yet: looking through it again for every login would take ever longer.
    this.#hasNoneToEvict = wanted > 0 && this.isDirty;
  }

  #intern(column: number, login: LoginBytes, ids: Int32Array): number {
    const known = ids[column]!;
    if (known !== NO_ENTITY) return known;
    const interner = this.names[kindOfColumn(column)]!;
    return (ids[column] = interner.intern(
      login.buffers[column]!,
      login.starts[column]!,
      login.ends[column]!,
    ));
  }

  /** One more than the relation's id, or 0 if the login says no type or there are too many. */
  #internRelation(kind: LinkKind, login: LoginBytes): number {
    const scratch = this.#relationScratch;
    let length = login.buffers[AUTH_TYPE]!.copy(scratch, 0, login.starts[AUTH_TYPE], login.ends[AUTH_TYPE]);
    if (kind.relation === "authType::logonType") {
      scratch[length++] = 0x3a;
      scratch[length++] = 0x3a;
      length += login.buffers[LOGON_TYPE]!.copy(
        scratch,
        length,
        login.starts[LOGON_TYPE],
        login.ends[LOGON_TYPE],
      );
    }
    if (this.relations.size >= RELATIONS_MAX && this.relations.find(scratch, 0, length) < 0) return 0;
    return this.relations.intern(scratch, 0, length) + 1;
  }

  /** Adds `#change` to a link, whose row may be known; `isOwn`: it is to be in the next delta. */
  #addChange(
    kind: LinkKind,
    relation: number,
    from: number,
    to: number,
    isOwn: boolean,
    known: LinkRow = NO_ROW,
  ): void {
    const change = this.#change;
    const { size } = this.links;
    const row = known === NO_ROW ? this.links.findOrAdd(kind.index, relation, from, to) : known;
    const isNew = this.links.size > size;
    if (isNew) this.#joinLink(row, kind, relation, from, to, change.lastMsOf(0));
    const { statistics } = this.links;
    const firstMsBefore = statistics.firstMsOf(row);
    statistics.addRow(row, change, 0);
    if (isOwn) this.#delta.statistics.addRow(this.#delta.placeOf(row), change, 0);
    if (relation !== 0) return;
    this.fromNodes[kind.index]!.statistics.addRow(from, change, 0);
    if (!kind.isProfile) this.toNodes[kind.index]!.statistics.addRow(to, change, 0);
    this.#afterPair(kind, row, isNew, firstMsBefore);
  }

  /** What follows from a change of a pair's statistics: modes, and when its first login was. */
  #afterPair(kind: LinkKind, row: LinkRow, isNew: boolean, firstMsBefore: number): void {
    const from = this.links.fromOf(row);
    const to = this.links.toOf(row);
    const count = this.links.statistics.countOf(row);
    this.fromNodes[kind.index]!.offerMode(from, to, count, this.#hashOfName[kind.toKind]!);
    if (kind.isProfile) return;
    this.toNodes[kind.index]!.offerMode(to, from, count, this.#hashOfName[kind.fromKind]!);
    if (kind !== this.#sourceTarget) return;
    const firstMs = this.links.statistics.firstMsOf(row);
    if (isNew) {
      this.#newTargets.add(from, firstMs);
    } else if (firstMs !== firstMsBefore) {
      this.#newTargets.remove(from, firstMsBefore);
      this.#newTargets.add(from, firstMs);
    }
  }

  /** Makes a new link known to its two ends and to the wheel. */
  #joinLink(row: LinkRow, kind: LinkKind, relation: number, from: number, to: number, lastMs: number): void {
    const { links } = this;
    this.names[kind.fromKind]!.retain(from);
    this.names[kind.toKind]!.retain(to);
    if (relation !== 0) this.relations.retain(relation - 1);
    const fromNodes = this.fromNodes[kind.index]!;
    const toNodes = this.toNodes[kind.index]!;
    fromNodes.reserve(from + 1);
    toNodes.reserve(to + 1);
    if (relation === 0) {
      if (fromNodes.degree[from]!++ === 0) fromNodes.begin(from);
      if (toNodes.degree[to]!++ === 0) toNodes.begin(to);
      this.pairCounts[kind.index]!++;
      if (kind === this.#sourceTarget) this.#newTargets.reserve(from + 1);
    }
    const nextOfFrom = fromNodes.head[from]!;
    links.nextOfFrom[row] = nextOfFrom;
    links.previousOfFrom[row] = NO_ROW;
    if (nextOfFrom !== NO_ROW) links.previousOfFrom[nextOfFrom] = row;
    fromNodes.head[from] = row;
    const nextOfTo = toNodes.head[to]!;
    links.nextOfTo[row] = nextOfTo;
    links.previousOfTo[row] = NO_ROW;
    if (nextOfTo !== NO_ROW) links.previousOfTo[nextOfTo] = row;
    toNodes.head[to] = row;
    this.#wheel.add(row, this.window.stepOf(lastMs));
  }

  #removeLink(row: LinkRow): void {
    const { links } = this;
    assert(links.dirtyOf(row) === NO_ROW, "a link was forgotten before its segment was taken");
    const kind = this.kinds[links.kindOf(row)]!;
    const relation = links.relationOf(row);
    const from = links.fromOf(row);
    const to = links.toOf(row);
    const fromNodes = this.fromNodes[kind.index]!;
    const toNodes = this.toNodes[kind.index]!;
    const nextOfFrom = links.nextOfFrom[row]!;
    const previousOfFrom = links.previousOfFrom[row]!;
    if (nextOfFrom !== NO_ROW) links.previousOfFrom[nextOfFrom] = previousOfFrom;
    if (previousOfFrom !== NO_ROW) links.nextOfFrom[previousOfFrom] = nextOfFrom;
    else fromNodes.head[from] = nextOfFrom;
    const nextOfTo = links.nextOfTo[row]!;
    const previousOfTo = links.previousOfTo[row]!;
    if (nextOfTo !== NO_ROW) links.previousOfTo[nextOfTo] = previousOfTo;
    if (previousOfTo !== NO_ROW) links.nextOfTo[previousOfTo] = nextOfTo;
    else toNodes.head[to] = nextOfTo;
    if (relation === 0) {
      fromNodes.subtract(from, to, links.statistics, row);
      if (!kind.isProfile) toNodes.subtract(to, from, links.statistics, row);
      this.pairCounts[kind.index]!--;
      if (kind === this.#sourceTarget) this.#newTargets.remove(from, links.statistics.firstMsOf(row));
      if (--fromNodes.degree[from]! === 0) {
        fromNodes.nodeCount--;
        if (kind === this.#sourceTarget) this.#newTargets.clear(from);
      }
      if (--toNodes.degree[to]! === 0) toNodes.nodeCount--;
    }
    links.remove(row);
    this.names[kind.fromKind]!.release(from);
    this.names[kind.toKind]!.release(to);
    if (relation !== 0) this.relations.release(relation - 1);
  }
}

/** A link needs both ends, and no entity is linked with itself: a local login has no journey from host to host. */
function isFormed(kind: LinkKind, login: LoginBytes): boolean {
  if (login.isAbsent(kind.from) || login.isAbsent(kind.to)) return false;
  return kind.fromKind !== kind.toKind || !login.isSame(kind.from, kind.to);
}

function kindOfColumn(column: number): number {
  if (column >= AUTH_TYPE) return 2;
  return COLUMNS[column]!.endsWith("Host") ? HOST_KIND : USER_KIND;
}
