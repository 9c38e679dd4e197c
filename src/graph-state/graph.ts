import assert from "node:assert/strict";
import { COLUMNS } from "../ingest/login.ts";
import {
  FAILURE,
  type LoginBytes,
  SOURCE_HOST,
  STRONG,
  TARGET_HOST,
  TICKET,
  USER,
  WEAK,
} from "../ingest/login-bytes.ts";
import { OpenAlertGroups } from "./alert-groups.ts";
import { Delta } from "./delta.ts";
import { ExpiryWheel } from "./expiry-wheel.ts";
import { partsOf, rowsByNode } from "./graph-parts.ts";
import { HourlyHistograms } from "./hourly-histograms.ts";
import { HourlySamples } from "./hourly-samples.ts";
import { JudgedLinks, type Judgement } from "./judged-links.ts";
import type { LinkChains } from "./link-chains.ts";
import {
  DEFAULT_LINK_KINDS,
  findLinkKind,
  HOST_KIND,
  isFormed,
  type LinkKind,
  type LinkKindConfig,
  linkKinds,
  USER_KIND,
} from "./link-kinds.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";
import { LinkTable } from "./link-table.ts";
import { Names, NO_ENTITY } from "./names.ts";
import { NewLinkCounters } from "./new-link-counters.ts";
import { NodeAggregates } from "./node-aggregates.ts";
import { OddNews } from "./odd-news.ts";
import { RecentLogins } from "./recent-logins.ts";
import type { GraphPart } from "./segment.ts";
import { Statistics } from "./statistics.ts";
import { Stories } from "./stories.ts";
import { Window, type WindowOptions } from "./window.ts";

/** Evicting at the cap makes room for this share of all links at once. */
const EVICTION_SHARE = 0.01;
/** What links that are no pair of hosts say of the newest minutes. */
const NONE: readonly number[] = [];

export type GraphOptions = {
  readonly links?: readonly LinkKindConfig[];
  readonly window: Pick<WindowOptions, "days" | "maxLinks">;
  /** What people have said of links; nothing if left out. */
  readonly judged?: JudgedLinks | undefined;
};

/**
 * The graph of who usually logs in where: the sum of all segments in the window.
 *
 * A login changes it by `apply`, a segment by `addPart`; both come to the same sums. `takeDelta` hands out what was added
 * since the last call. No I/O, no clock, no randomness: event time moves it on, by `advance`.
 */
export class Graph {
  readonly names = new Names();
  readonly kinds: readonly LinkKind[];
  readonly links = new LinkTable();
  /**
   * By link kind: what the links say about their from end, and about their to end. Of a value, the end of a profile link,
   * only the degree is kept: it is no node. First, last and mode are to be read through `node`.
   */
  readonly fromNodes: readonly NodeAggregates[];
  readonly toNodes: readonly NodeAggregates[];
  /** By link kind: number of distinct pairs, of those with strong evidence, and of those with a ticket request. */
  readonly pairCounts: Float64Array;
  readonly strongPairCounts: Float64Array;
  readonly ticketPairCounts: Float64Array;
  readonly window: Window;
  readonly histograms = new HourlyHistograms();
  readonly alertGroups = new OpenAlertGroups();
  readonly stories = new Stories();
  readonly samples = new HourlySamples();
  /** Of pairs of a source and a target host, where such links are configured. */
  readonly recent = new RecentLogins();
  /** Of users, by their links to source and target hosts. */
  readonly oddNews = new OddNews();
  /** Event time of the first login ever seen, +Infinity before it. */
  originMs = Number.POSITIVE_INFINITY;
  /** Links evicted at the cap so far. */
  evictedCount = 0;

  readonly #judged: JudgedLinks;
  readonly #linksMax: number;
  readonly #hostPairs: LinkKind | undefined;
  /** True if every link that may go has gone, until the next delta is taken. */
  #hasNoneToEvict = false;
  /** By link kind: when the links of a node were first seen, for users and source hosts and their targets. */
  readonly #newTargets: readonly (NewLinkCounters | undefined)[];
  readonly #wheel: ExpiryWheel;
  readonly #delta = new Delta(this.links);
  /** What is being added to links: one row. */
  readonly #change = new Statistics(1);

  constructor(options: GraphOptions) {
    this.kinds = linkKinds(options.links ?? DEFAULT_LINK_KINDS);
    this.fromNodes = this.kinds.map(() => new NodeAggregates());
    this.toNodes = this.kinds.map(() => new NodeAggregates());
    this.pairCounts = new Float64Array(this.kinds.length);
    this.strongPairCounts = new Float64Array(this.kinds.length);
    this.ticketPairCounts = new Float64Array(this.kinds.length);
    this.window = new Window(options.window);
    this.#wheel = new ExpiryWheel(this.links, this.window);
    this.#judged = options.judged ?? new JudgedLinks();
    this.#linksMax = options.window.maxLinks;
    this.#hostPairs = findLinkKind(this.kinds, "sourceHost", "targetHost");
    this.#newTargets = this.kinds.map(({ from, to }) =>
      to === TARGET_HOST && (from === USER || from === SOURCE_HOST) ? new NewLinkCounters() : undefined,
    );
  }

  /** Users and hosts that have at least one link. */
  get entityCount(): number {
    const { entities } = this.names;
    return entities[USER_KIND]!.size + entities[HOST_KIND]!.size;
  }

  /** Distinct pairs of the configured link kinds. */
  get linkCount(): number {
    return this.kinds.reduce((sum, kind) => sum + (kind.isProfile ? 0 : this.pairCounts[kind.index]!), 0);
  }

  /** Whether people have said anything of any link. */
  get isJudged(): boolean {
    return !this.#judged.isEmpty;
  }

  /** What people have said of a link, as a rule nothing; to be asked of those alone that an alert named. */
  judgementOf(row: LinkRow): Judgement | undefined {
    if (!this.isJudged) return undefined;
    const { links, names } = this;
    const { from, to, fromKind, toKind } = this.kinds[links.kindOf(row)]!;
    return this.#judged.of({
      from: COLUMNS[from]!,
      to: COLUMNS[to]!,
      fromName: names.entities[fromKind]!.nameOf(links.fromOf(row)),
      toName: names.entities[toKind]!.nameOf(links.toOf(row)),
    });
  }

  /** Moves event time on; forgets what fell out of the window if its edge moved. */
  advance(timeMs: number): void {
    if (timeMs < this.originMs) this.originMs = timeMs;
    const isStep = this.window.wouldStep(timeMs);
    this.window.advance(timeMs);
    this.recent.moveTo(this.window.watermarkMs);
    if (isStep) {
      for (const link of this.#wheel.expired()) this.#removeLink(link);
      this.stories.forget(this.window.edgeStep * this.window.stepMs);
    }
    // Never while links are being added: eviction may release names that were looked up for them.
    this.#makeRoomFor(this.kinds.length * 2);
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
   * Adds a login (or evidence) to every link it forms. `ids` comes from `names.find` and is completed with new entities; `rows`
   * from `resolvePairs`, if that was called and nothing has changed since. `isBurst`: it says nothing of what is usual.
   */
  apply(login: LoginBytes, ids: Int32Array, rows?: Int32Array, isBurst = false): void {
    const { evidence } = login;
    this.#change.setOne(0, login.timeMs, {
      failures: login.outcome === FAILURE ? 1 : 0,
      strong: evidence === STRONG || evidence === TICKET ? 1 : 0,
      weak: evidence === WEAK ? 1 : 0,
      tickets: evidence === TICKET ? 1 : 0,
      bursts: isBurst ? 1 : 0,
    });
    for (const kind of this.kinds) {
      if (!isFormed(kind, login)) continue;
      const from = this.names.intern(login, kind.from, ids);
      const to = this.names.intern(login, kind.to, ids);
      const row = this.#addChange(kind, 0, from, to, true, rows?.[kind.index]);
      if (kind === this.#hostPairs) this.recent.record(row, from, to, login.timeMs);
      const relation = this.names.internRelation(login, kind.relation);
      if (relation > 0) this.#addChange(kind, relation, from, to, true);
    }
  }

  /**
   * Notes an alert on those links of a login, applied before, that it is about: they stay out of training, and are not familiar
   * for longer.
   *
   * @param isSuppressed whether nobody was told of it
   */
  markAlert(
    login: LoginBytes,
    ids: Int32Array,
    isSuppressed: boolean,
    isAbout: (kind: LinkKind, row: LinkRow) => boolean,
  ): void {
    for (const kind of this.kinds) {
      if (kind.isProfile || !isFormed(kind, login)) continue;
      const typed = this.names.internRelation(login, kind.relation);
      for (const relation of typed > 0 ? [0, typed] : [0]) {
        const row = this.links.find(kind.index, relation, ids[kind.from]!, ids[kind.to]!);
        assert(row !== NO_ROW, "an alert on a link that was never added");
        if (!isAbout(kind, row)) continue;
        this.links.statistics.addAlert(row, isSuppressed);
        this.#delta.statistics.addAlert(this.#delta.placeOf(row), isSuppressed);
        if (relation !== 0) continue;
        this.fromNodes[kind.index]!.statistics.addAlert(this.links.fromOf(row), isSuppressed);
        this.toNodes[kind.index]!.statistics.addAlert(this.links.toOf(row), isSuppressed);
      }
    }
  }

  /** Notes that a login, applied before, made a link and was odd. */
  markOddNews(kind: LinkKind, ids: Int32Array): void {
    const from = ids[kind.from]!;
    const to = ids[kind.to]!;
    const row = this.links.find(kind.index, 0, from, to);
    assert(row !== NO_ROW, "an odd login made no link");
    this.links.statistics.addOddNews(row);
    this.#delta.statistics.addOddNews(this.#delta.placeOf(row));
    this.fromNodes[kind.index]!.statistics.addOddNews(from);
    this.toNodes[kind.index]!.statistics.addOddNews(to);
    if (isOfUser(kind)) this.oddNews.add(from, this.links.statistics.firstMsOf(row), 1);
  }

  /** Targets of a user or source host, by links of that kind, first seen within `hours` (at most 24) before `timeMs`. */
  newTargetsWithin({ index }: LinkKind, from: number, hours: number, timeMs: number): number {
    return this.#newTargets[index]?.within(from, hours, timeMs) ?? Number.NaN;
  }

  /**
   * What the links of one kind say about the node at one end, with first, last and mode made good if a link that held
   * one of them was forgotten: those are no sums, and reading them is rarer than forgetting.
   */
  node(kind: LinkKind, end: "from" | "to", entity: number): NodeAggregates {
    const [nodes, chains] = this.#endOf(kind, end);
    if (entity < 0 || entity >= nodes.stale.length || nodes.stale[entity] === 0) return nodes;
    const isFrom = end === "from";
    const hashOf = this.names.hashOf[isFrom ? kind.toKind : kind.fromKind]!;
    nodes.clear(entity);
    for (const row of chains.of(nodes.head, entity)) {
      if (this.links.relationOf(row) !== 0) continue;
      nodes.statistics.addRow(entity, this.links.statistics, row);
      const peer = isFrom ? this.links.toOf(row) : this.links.fromOf(row);
      nodes.offerMode(entity, peer, this.links.statistics.countOf(row), hashOf);
    }
    return nodes;
  }

  /** Rows of the links of one kind that begin at a node or lead to it: pairs and typed links, in no particular order. */
  linksAt(kind: LinkKind, end: "from" | "to", entity: number): Iterable<LinkRow> {
    const [nodes, chains] = this.#endOf(kind, end);
    return chains.of(nodes.head, entity);
  }

  #endOf(kind: LinkKind, end: "from" | "to"): readonly [NodeAggregates, LinkChains] {
    return end === "from"
      ? [this.fromNodes[kind.index]!, this.links.fromChains]
      : [this.toNodes[kind.index]!, this.links.toChains];
  }

  /** True if a link was changed since the last delta was taken. */
  get isDirty(): boolean {
    return this.#delta.size > 0;
  }

  /** What was added since the last call, in parts of about `bytesMax` encoded bytes; one at least. */
  takeDelta(bytesMax: number): GraphPart[] {
    const { rows, statistics } = this.#delta;
    const recentOf = (link: LinkRow) => (this.#isHostPair(link) ? this.recent.changeOf(link) : NONE);
    const parts = [
      ...partsOf(this, { rows, placeOf: (i) => i, statistics, recentOf }, bytesMax, {
        histograms: this.histograms.takeDelta(),
        incidents: this.alertGroups.takeDelta(),
        stories: this.stories.takeDelta(),
        samples: this.samples.takeDelta(),
      }),
    ];
    this.#delta.clear();
    this.recent.clearChange();
    this.#hasNoneToEvict = false;
    return parts;
  }

  /**
   * The whole graph in parts of about `bytesMax` encoded bytes; one at least. Nothing may be added, nor time move on,
   * before the last was taken.
   */
  toParts(bytesMax: number): Generator<GraphPart> {
    const rows = rowsByNode(this);
    const { statistics } = this.links;
    const recentOf = (link: LinkRow) => (this.#isHostPair(link) ? this.recent.pairs.of(link) : NONE);
    return partsOf(this, { rows, placeOf: (i) => rows[i]!, statistics, recentOf }, bytesMax, {
      histograms: this.histograms.all(),
      incidents: this.alertGroups.all(),
      stories: this.stories.all(),
      samples: this.samples.all(),
    });
  }

  /** Adds what another process, or an earlier one, saw. It is not part of this graph's own delta. */
  addPart(part: GraphPart): void {
    if (part.originMs < this.originMs) this.originMs = part.originMs;
    if (part.watermarkMs !== Number.NEGATIVE_INFINITY) this.advance(part.watermarkMs);
    this.#makeRoomFor(part.links.length);
    const { entities, relations: types } = this.names;
    const ids = part.names.map(({ kind, name }) => entities[kind]!.intern(name, 0, name.length));
    const relations = part.relations.map((name) => types.intern(name, 0, name.length) + 1);
    for (const link of part.links) {
      const relation = link.relation === 0 ? 0 : relations[link.relation - 1]!;
      this.#change.set(0, link);
      const from = ids[link.from]!;
      const to = ids[link.to]!;
      const row = this.#addChange(this.kinds[link.kind]!, relation, from, to, false);
      if (link.recent.length > 0) this.recent.addAll(row, from, to, link.recent);
    }
    this.histograms.add(part.histograms);
    this.alertGroups.addAll(part.incidents, this.window.watermarkMs);
    this.stories.addAll(part.stories);
    this.samples.addAll(part.samples);
  }

  #isHostPair(link: LinkRow): boolean {
    return this.links.kindOf(link) === this.#hostPairs?.index && this.links.relationOf(link) === 0;
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

  /** Adds `#change` to a link, whose row may be known; `isOwn`: it is to be in the next delta. @returns the row */
  #addChange(
    kind: LinkKind,
    relation: number,
    from: number,
    to: number,
    isOwn: boolean,
    known: LinkRow = NO_ROW,
  ): LinkRow {
    const change = this.#change;
    const { size } = this.links;
    const row = known === NO_ROW ? this.links.findOrAdd(kind.index, relation, from, to) : known;
    const isNew = this.links.size > size;
    if (isNew) this.#joinLink(row, kind, relation, from, to, change.lastMsOf(0));
    const { statistics } = this.links;
    const firstMsBefore = statistics.firstMsOf(row);
    const hadStrong = statistics.strongOf(row) > 0;
    const hadTickets = statistics.ticketsOf(row) > 0;
    const oddNewsBefore = statistics.oddNewsOf(row);
    statistics.addRow(row, change, 0);
    if (isOwn) this.#delta.statistics.addRow(this.#delta.placeOf(row), change, 0);
    if (relation !== 0) return row;
    this.fromNodes[kind.index]!.statistics.addRow(from, change, 0);
    if (!kind.isProfile) this.toNodes[kind.index]!.statistics.addRow(to, change, 0);
    if (!hadStrong && statistics.strongOf(row) > 0) this.#countStrong(kind, from, to, 1);
    if (!hadTickets && statistics.ticketsOf(row) > 0) this.#countTickets(kind, from, to, 1);
    if (isOfUser(kind)) this.#moveOddNews(row, from, oddNewsBefore, firstMsBefore);
    this.#afterPair(kind, row, isNew, firstMsBefore);
    return row;
  }

  #countStrong({ index }: LinkKind, from: number, to: number, change: 1 | -1): void {
    this.fromNodes[index]!.strongDegree[from]! += change;
    this.toNodes[index]!.strongDegree[to]! += change;
    this.strongPairCounts[index]! += change;
  }

  #moveOddNews(row: LinkRow, user: number, countBefore: number, firstMsBefore: number): void {
    const { statistics } = this.links;
    const count = statistics.oddNewsOf(row);
    if (countBefore > 0) this.oddNews.remove(user, firstMsBefore, countBefore);
    if (count > 0) this.oddNews.add(user, statistics.firstMsOf(row), count);
  }

  #countTickets({ index }: LinkKind, from: number, to: number, change: 1 | -1): void {
    this.fromNodes[index]!.ticketDegree[from]! += change;
    this.toNodes[index]!.ticketDegree[to]! += change;
    this.ticketPairCounts[index]! += change;
  }

  /** What follows from a change of a pair's statistics: modes, and when its first login was. */
  #afterPair(kind: LinkKind, row: LinkRow, isNew: boolean, firstMsBefore: number): void {
    const from = this.links.fromOf(row);
    const to = this.links.toOf(row);
    const count = this.links.statistics.countOf(row);
    this.fromNodes[kind.index]!.offerMode(from, to, count, this.names.hashOf[kind.toKind]!);
    if (kind.isProfile) return;
    this.toNodes[kind.index]!.offerMode(to, from, count, this.names.hashOf[kind.fromKind]!);
    const newTargets = this.#newTargets[kind.index];
    if (newTargets === undefined) return;
    const firstMs = this.links.statistics.firstMsOf(row);
    if (isNew) {
      newTargets.add(from, firstMs);
    } else if (firstMs !== firstMsBefore) {
      newTargets.remove(from, firstMsBefore);
      newTargets.add(from, firstMs);
    }
  }

  /** Makes a new link known to its two ends and to the wheel. */
  #joinLink(row: LinkRow, kind: LinkKind, relation: number, from: number, to: number, lastMs: number): void {
    this.names.retain(kind, relation, from, to);
    const fromNodes = this.fromNodes[kind.index]!;
    const toNodes = this.toNodes[kind.index]!;
    fromNodes.reserve(from + 1);
    toNodes.reserve(to + 1);
    if (relation === 0) {
      if (fromNodes.degree[from]!++ === 0) fromNodes.begin(from);
      if (toNodes.degree[to]!++ === 0) toNodes.begin(to);
      this.pairCounts[kind.index]!++;
      this.#newTargets[kind.index]?.reserve(from + 1);
    }
    this.links.fromChains.insert(row, fromNodes.head, from);
    this.links.toChains.insert(row, toNodes.head, to);
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
    links.fromChains.remove(row, fromNodes.head, from);
    links.toChains.remove(row, toNodes.head, to);
    if (relation === 0) {
      fromNodes.subtract(from, to, links.statistics, row);
      if (!kind.isProfile) toNodes.subtract(to, from, links.statistics, row);
      this.pairCounts[kind.index]!--;
      if (links.statistics.strongOf(row) > 0) this.#countStrong(kind, from, to, -1);
      if (links.statistics.ticketsOf(row) > 0) this.#countTickets(kind, from, to, -1);
      this.#newTargets[kind.index]?.remove(from, links.statistics.firstMsOf(row));
      if (kind === this.#hostPairs) this.recent.forget(row, from, to);
      const oddNews = links.statistics.oddNewsOf(row);
      if (oddNews > 0 && isOfUser(kind)) this.oddNews.remove(from, links.statistics.firstMsOf(row), oddNews);
      if (--fromNodes.degree[from]! === 0) {
        fromNodes.nodeCount--;
        this.#newTargets[kind.index]?.clear(from);
      }
      if (--toNodes.degree[to]! === 0) toNodes.nodeCount--;
    }
    links.remove(row);
    this.names.release(kind, relation, from, to);
  }
}

/** Links of a user to the hosts that he logs on from and to. */
function isOfUser({ from, to }: LinkKind): boolean {
  return from === USER && (to === SOURCE_HOST || to === TARGET_HOST);
}
