import { AUTH_TYPE, type LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../ingest/login-bytes.ts";
import type { Graph } from "./graph.ts";
import { findLinkKind, LINK_KINDS_MAX, type LinkKind } from "./link-kinds.ts";
import { type LinkRow, NO_ROW } from "./link-row.ts";

/** Smoothing of the conditional probabilities: absolute discount, prior weight, and how many unseen values to expect. */
const DISCOUNT = 0.5;
const PRIOR = 5;
const UNSEEN_VALUES = 10_000;

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

  /** user -> source host. */
  userSourceRow: LinkRow = NO_ROW;
  userSourceCount = 0;
  userSourceStrong = 0;

  /** source host -> target host. */
  sourceTargetRow: LinkRow = NO_ROW;
  sourceTargetCount = 0;
  sourceCount = 0;
  targetCount = 0;
  /** Distinct hosts linked with the host, either way. */
  sourceDegree = 0;
  targetDegree = 0;
  newTargetsHour = Number.NaN;
  newTargetsDay = Number.NaN;

  /** -ln p(source host | user), and so on: how surprising each end is, given the other, in nats. */
  sourceGivenUser = Number.NaN;
  targetGivenUser = Number.NaN;
  targetGivenSource = Number.NaN;
  authGivenUser = Number.NaN;
  authGivenTarget = Number.NaN;
}

/** Reads the facts of logins from one graph. */
export class FactReader {
  readonly #graph: Graph;
  readonly #familiarAfterMs: number;
  readonly userSource: LinkKind | undefined;
  readonly userTarget: LinkKind | undefined;
  readonly sourceTarget: LinkKind | undefined;
  readonly userAuth: LinkKind;
  readonly targetAuth: LinkKind;

  /** @param familiarAfterMs age below which a link does not count as familiar, so that repetition alone buys nothing */
  constructor(graph: Graph, familiarAfterMs: number) {
    this.#graph = graph;
    this.#familiarAfterMs = familiarAfterMs;
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
    const hasUser = !login.isAbsent(USER);
    const hasTarget = !login.isAbsent(TARGET_HOST);
    const hasAuth = !login.isAbsent(AUTH_TYPE);
    facts.targetGivenUser =
      this.userTarget !== undefined && hasUser && hasTarget
        ? this.#surprisal(
            this.userTarget,
            facts.rows[this.userTarget.index]!,
            ids[USER]!,
            ids[TARGET_HOST]!,
            facts.timeMs,
          )
        : Number.NaN;
    facts.authGivenUser =
      hasUser && hasAuth
        ? this.#surprisal(
            this.userAuth,
            facts.rows[this.userAuth.index]!,
            ids[USER]!,
            ids[AUTH_TYPE]!,
            facts.timeMs,
          )
        : Number.NaN;
    facts.authGivenTarget =
      hasTarget && hasAuth
        ? this.#surprisal(
            this.targetAuth,
            facts.rows[this.targetAuth.index]!,
            ids[TARGET_HOST]!,
            ids[AUTH_TYPE]!,
            facts.timeMs,
          )
        : Number.NaN;
  }

  #readUser(login: LoginBytes, facts: Facts): void {
    const kind = this.userSource;
    const user = facts.ids[USER]!;
    facts.userCount = facts.userStrong = facts.userSourceCount = facts.userSourceStrong = 0;
    facts.userFirstMs = facts.sourceGivenUser = Number.NaN;
    facts.userSourceRow = NO_ROW;
    if (kind === undefined) return;
    const nodes = this.#graph.node(kind, "from", user);
    if (nodes.degreeOf(user) > 0) {
      facts.userCount = nodes.statistics.countOf(user);
      facts.userStrong = nodes.statistics.strongOf(user);
      facts.userFirstMs = nodes.statistics.firstMsOf(user);
    }
    if (login.isAbsent(SOURCE_HOST)) return;
    const source = facts.ids[SOURCE_HOST]!;
    const row = facts.rows[kind.index]!;
    facts.userSourceRow = row;
    if (row !== NO_ROW) {
      facts.userSourceCount = this.#graph.links.statistics.countOf(row);
      facts.userSourceStrong = this.#graph.links.statistics.strongOf(row);
    }
    facts.sourceGivenUser = this.#surprisal(kind, row, user, source, facts.timeMs);
  }

  #readHosts(login: LoginBytes, facts: Facts): void {
    const kind = this.sourceTarget;
    facts.sourceTargetRow = NO_ROW;
    facts.sourceTargetCount =
      facts.sourceCount =
      facts.targetCount =
      facts.sourceDegree =
      facts.targetDegree =
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
    facts.sourceDegree = from.degreeOf(source) + to.degreeOf(source);
    facts.targetDegree = from.degreeOf(target) + to.degreeOf(target);
    facts.newTargetsHour = this.#graph.newTargetsWithin(source, 1, facts.timeMs);
    facts.newTargetsDay = this.#graph.newTargetsWithin(source, 24, facts.timeMs);
    facts.targetGivenSource = this.#surprisal(kind, row, source, target, facts.timeMs);
  }

  /**
   * -ln p(to | from), smoothed: absolute discounting backed off to how many contexts ever saw `to`, itself backed off to
   * a uniform guess over values never seen. Finite for anything, and 0 only in the limit.
   */
  #surprisal(kind: LinkKind, row: LinkRow, from: number, to: number, timeMs: number): number {
    const fromNodes = this.#graph.fromNodes[kind.index]!;
    const toNodes = this.#graph.toNodes[kind.index]!;
    const contexts = toNodes.degreeOf(to);
    const unseen = (DISCOUNT * toNodes.nodeCount + PRIOR) / UNSEEN_VALUES;
    const share = (Math.max(contexts - DISCOUNT, 0) + unseen) / (this.#graph.pairCounts[kind.index]! + PRIOR);
    const total = fromNodes.countOf(from);
    if (total === 0) return -Math.log(share);
    const { statistics } = this.#graph.links;
    const isFamiliar = row !== NO_ROW && timeMs - statistics.firstMsOf(row) >= this.#familiarAfterMs;
    const seen = isFamiliar ? Math.max(statistics.countOf(row) - DISCOUNT, 0) : 0;
    return -Math.log((seen + (DISCOUNT * fromNodes.degreeOf(from) + PRIOR) * share) / (total + PRIOR));
  }
}
