import { AUTH_TYPE, type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import type { Familiarity } from "./familiarity.ts";
import type { Graph } from "./graph.ts";
import { findLinkKind, LINK_KINDS_MAX, type LinkKind } from "./link-kinds.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";
import type { NodeAggregates } from "./node-aggregates.ts";

/** Smoothing of the conditional probabilities: absolute discount, prior weight, and how many unseen values to expect. */
const DISCOUNT = 0.5;
const PRIOR = 5;
const UNSEEN_VALUES = 10_000;
/** Peers of a node that count as much as its own do. */
const PEER_PRIOR = 2;

/**
 * What the graph knew about a login's links *before* the login was added. One instance, overwritten for each login.
 *
 * A number is NaN where its link kind is not configured or the login does not form it (a local login has no link from
 * host to host): "not known" is never the same as "never seen".
 */
export class Facts {
  /** Entity by column, or `NO_ENTITY`. */
  readonly ids: Int32Array = new Int32Array(6);
  /** Row of the login's pair by link kind, or `NO_ROW` if it is new or not formed. Valid until the graph changes. */
  readonly rows: Int32Array = new Int32Array(LINK_KINDS_MAX);
  timeMs = 0;
  isRemote = false;

  /** The user's records on any source host: how many, since when, how many were strong evidence. */
  userCount = 0;
  userFirstMs = Number.NaN;
  userStrong = 0;
  userTickets = 0;
  /** New targets of the user within the hour, and 24 hours, before. */
  userNewTargetsHour = Number.NaN;
  userNewTargetsDay = Number.NaN;

  /** user -> source host. */
  userSourceRow: LinkRow = NO_ROW;
  userSourceCount = 0;
  userSourceStrong = 0;
  userSourceTickets = 0;
  userSourceLastMs = Number.NaN;
  /**
   * -ln of the share of accounts that are seen on the source and show no strong evidence there, or ask for no ticket: how odd it
   * is that this one does not. 0 if it does. A host that nobody logs on to, a proxy, says nothing by it.
   */
  noStrongGivenSource = Number.NaN;
  noTicketGivenSource = Number.NaN;
  /** Share of the records from the source, and of the user's, that were failed logins; backed off to none. */
  sourceFailures = Number.NaN;
  userFailures = Number.NaN;

  /** source host -> target host. */
  sourceTargetRow: LinkRow = NO_ROW;
  sourceTargetCount = 0;
  /** The same, by the login's very auth and logon type. */
  sourceTargetTypeRow: LinkRow = NO_ROW;
  sourceTargetTypeCount = 0;
  sourceTargetTypeLastMs = Number.NaN;
  sourceCount = 0;
  targetCount = 0;
  /** Distinct hosts linked with the host, either way. */
  sourceDegree = 0;
  targetDegree = 0;
  /** Distinct hosts that the source logged on to, and that logged on to it; and the target likewise. */
  sourceOutDegree = 0;
  sourceInDegree = 0;
  targetOutDegree = 0;
  targetInDegree = 0;
  newTargetsHour = Number.NaN;
  newTargetsDay = Number.NaN;

  /** -ln p(source host | user), and so on: how surprising each end is, given the other, in nats. */
  sourceGivenUser = Number.NaN;
  targetGivenUser = Number.NaN;
  targetGivenSource = Number.NaN;
  userGivenSource = Number.NaN;
  userGivenTarget = Number.NaN;
  typeGivenSourceTarget = Number.NaN;
  authGivenUser = Number.NaN;
  authGivenTarget = Number.NaN;
}

/** -ln of the share of peers without something, of a node with so many peers, backed off to the share of all pairs. */
function withoutGiven(degree: number, peersWith: number, pairs: number, pairsWith: number): number {
  const share = (pairs - pairsWith + DISCOUNT) / (pairs + 1);
  return -Math.log((degree - peersWith + PEER_PRIOR * share) / (degree + PEER_PRIOR));
}

/** Share of a node's records that are failed logins, as if it had some that are not besides. */
function failuresOf(nodes: NodeAggregates, node: number): number {
  if (nodes.degreeOf(node) === 0) return 0;
  return nodes.statistics.failuresOf(node) / (nodes.statistics.countOf(node) + PRIOR);
}

/** Reads the facts of logins from one graph. */
export class FactReader {
  readonly #graph: Graph;
  readonly #familiarity: Familiarity;
  readonly userSource: LinkKind | undefined;
  readonly userTarget: LinkKind | undefined;
  readonly sourceTarget: LinkKind | undefined;
  readonly userAuth: LinkKind;
  readonly targetAuth: LinkKind;

  constructor(graph: Graph, familiarity: Familiarity) {
    this.#graph = graph;
    this.#familiarity = familiarity;
    this.userSource = findLinkKind(graph.kinds, "user", "sourceHost");
    this.userTarget = findLinkKind(graph.kinds, "user", "targetHost");
    this.sourceTarget = findLinkKind(graph.kinds, "sourceHost", "targetHost");
    this.userAuth = findLinkKind(graph.kinds, "user", "authType")!;
    this.targetAuth = findLinkKind(graph.kinds, "targetHost", "authType")!;
  }

  read(login: LoginBytes, facts: Facts): void {
    const graph = this.#graph;
    graph.names.find(login, facts.ids);
    graph.resolvePairs(login, facts.ids, facts.rows);
    facts.timeMs = login.timeMs;
    facts.isRemote = login.isRemote();
    this.#readUser(login, facts);
    this.#readHosts(login, facts);
    const { ids } = facts;
    facts.targetGivenUser =
      facts.userGivenTarget =
      facts.userNewTargetsHour =
      facts.userNewTargetsDay =
        Number.NaN;
    if (this.userTarget !== undefined && !login.isAbsent(USER) && !login.isAbsent(TARGET_HOST)) {
      const row = facts.rows[this.userTarget.index]!;
      facts.targetGivenUser = this.#surprisal(
        this.userTarget,
        row,
        ids[USER]!,
        ids[TARGET_HOST]!,
        facts.timeMs,
      );
      facts.userGivenTarget = this.#surprisalBack(
        this.userTarget,
        row,
        ids[USER]!,
        ids[TARGET_HOST]!,
        facts.timeMs,
      );
      facts.userNewTargetsHour = graph.newTargetsWithin(this.userTarget, ids[USER]!, 1, facts.timeMs);
      facts.userNewTargetsDay = graph.newTargetsWithin(this.userTarget, ids[USER]!, 24, facts.timeMs);
    }
    const hasAuth = !login.isAbsent(AUTH_TYPE);
    facts.authGivenUser =
      hasAuth && !login.isAbsent(USER) ? this.#ofAuth(this.userAuth, ids[USER]!, facts) : Number.NaN;
    facts.authGivenTarget =
      hasAuth && !login.isAbsent(TARGET_HOST)
        ? this.#ofAuth(this.targetAuth, ids[TARGET_HOST]!, facts)
        : Number.NaN;
    this.#readType(login, facts);
  }

  #ofAuth(kind: LinkKind, entity: number, facts: Facts): number {
    return this.#surprisal(kind, facts.rows[kind.index]!, entity, facts.ids[AUTH_TYPE]!, facts.timeMs);
  }

  /** Of the login's auth and logon type between its two hosts; where such links have no type, of the pair. */
  #readType(login: LoginBytes, facts: Facts): void {
    const kind = this.sourceTarget;
    facts.sourceTargetTypeRow = NO_ROW;
    facts.sourceTargetTypeCount = 0;
    facts.sourceTargetTypeLastMs = facts.typeGivenSourceTarget = Number.NaN;
    if (kind === undefined || !facts.isRemote) return;
    const { links, names } = this.#graph;
    const relation = names.findRelation(login, kind.relation);
    const isKnown = facts.sourceTargetRow !== NO_ROW && (relation !== 0 || kind.relation.length === 0);
    const { ids } = facts;
    const row = isKnown ? links.find(kind.index, relation, ids[SOURCE_HOST]!, ids[TARGET_HOST]!) : NO_ROW;
    const isFamiliar = this.#familiarity.isFamiliar(row, facts.timeMs);
    facts.sourceTargetTypeRow = row;
    if (isFamiliar) {
      facts.sourceTargetTypeCount = links.statistics.countOf(row);
      facts.sourceTargetTypeLastMs = links.statistics.lastMsOf(row);
    }
    // Backed off to how usual the auth type is at the target.
    const share = Number.isNaN(facts.authGivenTarget) ? 1 : Math.exp(-facts.authGivenTarget);
    const seen = Math.max(facts.sourceTargetTypeCount - DISCOUNT, 0);
    facts.typeGivenSourceTarget = -Math.log((seen + PRIOR * share) / (facts.sourceTargetCount + PRIOR));
  }

  #readUser(login: LoginBytes, facts: Facts): void {
    const kind = this.userSource;
    const user = facts.ids[USER]!;
    facts.userCount = facts.userStrong = facts.userTickets = 0;
    facts.userSourceCount = facts.userSourceStrong = facts.userSourceTickets = 0;
    facts.noStrongGivenSource = facts.noTicketGivenSource = Number.NaN;
    facts.sourceFailures = facts.userFailures = Number.NaN;
    facts.userFirstMs = facts.userSourceLastMs = facts.sourceGivenUser = facts.userGivenSource = Number.NaN;
    facts.userSourceRow = NO_ROW;
    if (kind === undefined) return;
    const nodes = this.#graph.node(kind, "from", user);
    if (nodes.degreeOf(user) > 0) {
      facts.userCount = nodes.statistics.countOf(user);
      facts.userStrong = nodes.statistics.strongOf(user);
      facts.userTickets = nodes.statistics.ticketsOf(user);
      facts.userFirstMs = nodes.statistics.firstMsOf(user);
    }
    facts.userFailures = failuresOf(nodes, user);
    if (login.isAbsent(SOURCE_HOST)) return;
    const source = facts.ids[SOURCE_HOST]!;
    const row = facts.rows[kind.index]!;
    facts.userSourceRow = row;
    if (row !== NO_ROW) {
      facts.userSourceCount = this.#graph.links.statistics.countOf(row);
      facts.userSourceStrong = this.#graph.links.statistics.strongOf(row);
      facts.userSourceTickets = this.#graph.links.statistics.ticketsOf(row);
      facts.userSourceLastMs = this.#graph.links.statistics.lastMsOf(row);
    }
    facts.sourceGivenUser = this.#surprisal(kind, row, user, source, facts.timeMs);
    facts.userGivenSource = this.#surprisalBack(kind, row, user, source, facts.timeMs);
    const { toNodes, pairCounts, strongPairCounts, ticketPairCounts } = this.#graph;
    const sources = toNodes[kind.index]!;
    facts.sourceFailures = failuresOf(sources, source);
    const degree = sources.degreeOf(source);
    const pairs = pairCounts[kind.index]!;
    facts.noStrongGivenSource =
      facts.userSourceStrong > 0
        ? 0
        : withoutGiven(degree, degree && sources.strongDegree[source]!, pairs, strongPairCounts[kind.index]!);
    facts.noTicketGivenSource =
      facts.userSourceTickets > 0
        ? 0
        : withoutGiven(degree, degree && sources.ticketDegree[source]!, pairs, ticketPairCounts[kind.index]!);
  }

  #readHosts(login: LoginBytes, facts: Facts): void {
    const kind = this.sourceTarget;
    facts.sourceTargetRow = NO_ROW;
    facts.sourceTargetCount =
      facts.sourceCount =
      facts.targetCount =
      facts.sourceDegree =
      facts.targetDegree =
      facts.sourceOutDegree =
      facts.sourceInDegree =
      facts.targetOutDegree =
      facts.targetInDegree =
        0;
    facts.newTargetsHour = facts.newTargetsDay = facts.targetGivenSource = Number.NaN;
    if (kind === undefined || !facts.isRemote || login.isAbsent(SOURCE_HOST)) return;
    const source = facts.ids[SOURCE_HOST]!;
    const target = facts.ids[TARGET_HOST]!;
    const from = this.#graph.fromNodes[kind.index]!;
    const to = this.#graph.toNodes[kind.index]!;
    const row = facts.rows[kind.index]!;
    facts.sourceTargetRow = row;
    facts.sourceTargetCount = row === NO_ROW ? 0 : this.#graph.links.statistics.countOf(row);
    facts.sourceCount = from.countOf(source);
    facts.targetCount = to.countOf(target);
    facts.sourceOutDegree = from.degreeOf(source);
    facts.sourceInDegree = to.degreeOf(source);
    facts.targetOutDegree = from.degreeOf(target);
    facts.targetInDegree = to.degreeOf(target);
    facts.sourceDegree = facts.sourceOutDegree + facts.sourceInDegree;
    facts.targetDegree = facts.targetOutDegree + facts.targetInDegree;
    facts.newTargetsHour = this.#graph.newTargetsWithin(kind, source, 1, facts.timeMs);
    facts.newTargetsDay = this.#graph.newTargetsWithin(kind, source, 24, facts.timeMs);
    facts.targetGivenSource = this.#surprisal(kind, row, source, target, facts.timeMs);
  }

  /** -ln p(to | from). */
  #surprisal(kind: LinkKind, row: LinkRow, from: number, to: number, timeMs: number): number {
    return this.#nats(
      kind,
      row,
      this.#graph.fromNodes[kind.index]!,
      from,
      this.#graph.toNodes[kind.index]!,
      to,
      timeMs,
    );
  }

  /** -ln p(from | to). */
  #surprisalBack(kind: LinkKind, row: LinkRow, from: number, to: number, timeMs: number): number {
    return this.#nats(
      kind,
      row,
      this.#graph.toNodes[kind.index]!,
      to,
      this.#graph.fromNodes[kind.index]!,
      from,
      timeMs,
    );
  }

  /**
   * -ln p(value | context), smoothed: absolute discounting backed off to how many contexts ever saw the value, itself backed
   * off to a uniform guess over values never seen. Finite for anything, and 0 only in the limit.
   */
  #nats(
    kind: LinkKind,
    row: LinkRow,
    contextNodes: NodeAggregates,
    context: number,
    valueNodes: NodeAggregates,
    value: number,
    timeMs: number,
  ): number {
    const contexts = valueNodes.degreeOf(value);
    const unseen = (DISCOUNT * valueNodes.nodeCount + PRIOR) / UNSEEN_VALUES;
    const share = (Math.max(contexts - DISCOUNT, 0) + unseen) / (this.#graph.pairCounts[kind.index]! + PRIOR);
    const total = contextNodes.countOf(context);
    if (total === 0) return -Math.log(share);
    const isFamiliar = this.#familiarity.isFamiliar(row, timeMs);
    const seen = isFamiliar ? Math.max(this.#graph.links.statistics.countOf(row) - DISCOUNT, 0) : 0;
    return -Math.log((seen + (DISCOUNT * contextNodes.degreeOf(context) + PRIOR) * share) / (total + PRIOR));
  }
}
