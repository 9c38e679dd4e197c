import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { FactReader, Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import { isRemote, type Login } from "../../src/ingest/login.ts";
import {
  addLogin,
  addLoginTaking,
  arbitraryLogin,
  familiarAfterAnHour,
  loginBytes,
} from "../graph-state/logins.ts";

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const WINDOW_STEPS = 30;

/** A link with its own logins. */
type NaiveLink = {
  readonly from: string;
  readonly to: string;
  readonly kind: string;
  readonly logins: Login[];
};

const isStrong = ({ evidence }: Login): boolean => evidence === "strong" || evidence === "ticket";
const isTicket = ({ evidence }: Login): boolean => evidence === "ticket";

/** A list of the logins still in the window, and every fact counted from it anew. Slow and plain on purpose. */
class NaiveGraph {
  /** Links by kind and ends. */
  #links = new Map<string, NaiveLink>();
  #watermarkMs = Number.NEGATIVE_INFINITY;

  advance(timeMs: number): void {
    const before = Math.floor(this.#watermarkMs / DAY_MS);
    this.#watermarkMs = Math.max(this.#watermarkMs, timeMs);
    const edge = Math.floor(this.#watermarkMs / DAY_MS) - WINDOW_STEPS;
    if (Math.floor(this.#watermarkMs / DAY_MS) === before) return;
    for (const [key, link] of this.#links) {
      if (Math.floor(Math.max(...link.logins.map((l) => l.timeMs)) / DAY_MS) < edge) this.#links.delete(key);
    }
  }

  add(login: Login): void {
    const pairs: [string, string, string][] = [
      ["user-sourceHost", login.user, login.sourceHost],
      ["user-targetHost", login.user, login.targetHost],
      ["user-authType", login.user, login.authType],
      ["targetHost-authType", login.targetHost, login.authType],
    ];
    if (isRemote(login)) pairs.push(["sourceHost-targetHost", login.sourceHost, login.targetHost]);
    for (const [kind, from, to] of pairs) {
      if (from === "" || to === "") continue;
      const key = JSON.stringify([kind, from, to]);
      const link = this.#links.get(key) ?? { kind, from, to, logins: [] };
      link.logins.push(login);
      this.#links.set(key, link);
    }
  }

  of(kind: string) {
    return [...this.#links.values()].filter((link) => link.kind === kind);
  }

  surprisal(kind: string, from: string, to: string, timeMs: number): number {
    return this.#surprisalIn(this.of(kind), from, to, timeMs);
  }

  /** -ln p(from | to). */
  surprisalBack(kind: string, from: string, to: string, timeMs: number): number {
    const back = this.of(kind).map((link) => ({ ...link, from: link.to, to: link.from }));
    return this.#surprisalIn(back, to, from, timeMs);
  }

  #surprisalIn(links: readonly NaiveLink[], from: string, to: string, timeMs: number): number {
    const contexts = links.filter((link) => link.to === to).length;
    const values = new Set(links.map((link) => link.to)).size;
    const m = (Math.max(contexts - 0.5, 0) + (0.5 * values + 5) / 10_000) / (links.length + 5);
    const own = links.filter((link) => link.from === from);
    const n = own.reduce((sum, link) => sum + link.logins.length, 0);
    if (n === 0) return -Math.log(m);
    const pair = own.find((link) => link.to === to);
    const isOld = pair !== undefined && timeMs - Math.min(...pair.logins.map((l) => l.timeMs)) >= HOUR_MS;
    const nx = isOld ? pair.logins.length : 0;
    return -Math.log((Math.max(nx - 0.5, 0) + (0.5 * own.length + 5) * m) / (n + 5));
  }
}

const close = (actual: number, expected: number, what: string) =>
  assert.ok(Math.abs(actual - expected) < 1e-9, `${what}: ${actual} instead of ${expected}`);

test("facts read incrementally equal facts counted from all logins in the window", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryLogin(0, 3 * DAY_MS), fc.nat({ max: 4 * DAY_MS })), { maxLength: 60 }),
      (steps) => {
        const graph = new Graph({ window: { days: 30, maxLinks: 1_000_000 } });
        const naive = new NaiveGraph();
        const reader = new FactReader(graph, familiarAfterAnHour(graph));
        const facts = new Facts();
        let clockMs = 100 * DAY_MS;
        for (const [drawn, gapMs] of steps) {
          clockMs += gapMs;
          const login = { ...drawn, timeMs: clockMs - drawn.timeMs };
          if (graph.window.wouldStep(login.timeMs)) graph.takeDelta(Number.POSITIVE_INFINITY);
          graph.advance(login.timeMs);
          naive.advance(login.timeMs);
          reader.read(loginBytes(login), facts);
          const t = login.timeMs;

          const userLinks = naive.of("user-sourceHost").filter((link) => link.from === login.user);
          const userLogins = userLinks.flatMap((link) => link.logins);
          assert.equal(facts.userCount, userLogins.length);
          assert.equal(facts.userStrong, userLogins.filter(isStrong).length);
          if (userLogins.length > 0)
            assert.equal(facts.userFirstMs, Math.min(...userLogins.map((l) => l.timeMs)));
          if (login.sourceHost !== "") {
            const pair = userLinks.find((link) => link.to === login.sourceHost)?.logins ?? [];
            assert.equal(facts.userSourceCount, pair.length);
            assert.equal(facts.userSourceStrong, pair.filter(isStrong).length);
            assert.equal(facts.userSourceTickets, pair.filter(isTicket).length);
            close(
              facts.sourceGivenUser,
              naive.surprisal("user-sourceHost", login.user, login.sourceHost, t),
              "s|u",
            );
            close(
              facts.userGivenSource,
              naive.surprisalBack("user-sourceHost", login.user, login.sourceHost, t),
              "u|s",
            );
            const pairs = naive.of("user-sourceHost");
            const there = pairs.filter((link) => link.to === login.sourceHost);
            for (const [fact, has] of [
              [facts.noStrongGivenSource, isStrong],
              [facts.noTicketGivenSource, isTicket],
            ] as const) {
              const without = (links: readonly NaiveLink[]) =>
                links.filter((link) => !link.logins.some(has)).length;
              const share = (without(pairs) + 0.5) / (pairs.length + 1);
              const expected = -Math.log((without(there) + 2 * share) / (there.length + 2));
              close(fact, pair.some(has) ? 0 : expected, "without");
            }
          }
          close(
            facts.targetGivenUser,
            naive.surprisal("user-targetHost", login.user, login.targetHost, t),
            "d|u",
          );
          close(
            facts.userGivenTarget,
            naive.surprisalBack("user-targetHost", login.user, login.targetHost, t),
            "u|d",
          );
          if (login.authType !== "") {
            close(
              facts.authGivenUser,
              naive.surprisal("user-authType", login.user, login.authType, t),
              "a|u",
            );
            close(
              facts.authGivenTarget,
              naive.surprisal("targetHost-authType", login.targetHost, login.authType, t),
              "a|d",
            );
          }
          assert.equal(facts.isRemote, isRemote(login));
          if (isRemote(login)) {
            const hosts = naive.of("sourceHost-targetHost");
            const degree = (host: string) =>
              hosts.filter((link) => link.from === host || link.to === host).length;
            assert.equal(facts.sourceDegree, degree(login.sourceHost));
            assert.equal(facts.targetDegree, degree(login.targetHost));
            const pair = hosts.find((l) => l.from === login.sourceHost && l.to === login.targetHost);
            assert.equal(facts.sourceTargetCount, pair?.logins.length ?? 0);
            const surprisal = naive.surprisal("sourceHost-targetHost", login.sourceHost, login.targetHost, t);
            close(facts.targetGivenSource, surprisal, "d|s");
          }
          addLogin(graph, login);
          naive.add(login);
        }
      },
    ),
    { numRuns: 150 },
  );
});

test("node aggregates equal what a pass over all logins gives", () => {
  fc.assert(
    fc.property(
      fc.array(fc.tuple(arbitraryLogin(0, 3 * DAY_MS), fc.nat({ max: 6 * DAY_MS })), { maxLength: 80 }),
      (steps) => {
        const graph = new Graph({ window: { days: 30, maxLinks: 1_000_000 } });
        const naive = new NaiveGraph();
        let clockMs = 100 * DAY_MS;
        for (const [drawn, gapMs] of steps) {
          clockMs += gapMs;
          const login = { ...drawn, timeMs: clockMs - drawn.timeMs };
          naive.advance(login.timeMs);
          naive.add(login);
          addLoginTaking(graph, login);
        }
        for (const name of ["user-sourceHost", "user-targetHost", "sourceHost-targetHost", "user-authType"]) {
          const kind = graph.kinds.find((candidate) => candidate.name === name)!;
          for (const side of ["from", "to"] as const) {
            const interner = graph.names.entities[side === "from" ? kind.fromKind : kind.toKind]!;
            const peers = graph.names.entities[side === "from" ? kind.toKind : kind.fromKind]!;
            for (const node of new Set(naive.of(name).map((link) => link[side]))) {
              const own = naive.of(name).filter((link) => link[side] === node);
              const logins = own.flatMap((link) => link.logins);
              const bytes = Buffer.from(node);
              const id = interner.find(bytes, 0, bytes.length);
              assert.notEqual(id, -1);
              const nodes = graph.node(kind, side, id);
              assert.equal(nodes.degree[id], own.length);
              // A value is no node: of the to end of a profile link only the degree is kept.
              if (kind.isProfile && side === "to") continue;
              assert.equal(nodes.statistics.countOf(id), logins.length);
              assert.equal(
                nodes.statistics.failuresOf(id),
                logins.filter((l) => l.outcome === "failure").length,
              );
              assert.equal(nodes.statistics.firstMsOf(id), Math.min(...logins.map((l) => l.timeMs)));
              assert.equal(nodes.statistics.lastMsOf(id), Math.max(...logins.map((l) => l.timeMs)));
              const minutes = logins.reduce((sum, l) => sum + Math.floor(l.timeMs / 60_000), 0);
              assert.equal(nodes.statistics.minutesOf(id), minutes);
              const most = Math.max(...own.map((link) => link.logins.length));
              assert.equal(nodes.modeCount[id], most);
              const mode = peers.nameOf(nodes.mode[id]!);
              const peer = side === "from" ? "to" : "from";
              assert.equal(own.find((link) => link[peer] === mode)?.logins.length, most);
            }
          }
        }
      },
    ),
    { numRuns: 150 },
  );
});
