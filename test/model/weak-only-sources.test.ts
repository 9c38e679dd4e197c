import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Graph } from "../../src/graph-state/graph.ts";
import { HOST_KIND } from "../../src/graph-state/link-kinds.ts";
import type { Login } from "../../src/ingest/login.ts";
import { WeakOnlySources } from "../../src/model/weak-only-sources.ts";
import { addLogin, login } from "../graph-state/logins.ts";

const HOUR_MS = 3_600_000;
const PROXY = "C9";

/** Weak logins of several users from the proxy, two hours apart. */
function proxied(count: number): Login[] {
  return Array.from({ length: count }, (_, i) =>
    login({
      timeMs: 1_000_000 + i * 2 * HOUR_MS,
      user: `U${i % 4}`,
      sourceHost: PROXY,
      authType: "NTLM",
      evidence: "weak",
    }),
  );
}

function sourcesAfter(logins: readonly Login[]): {
  readonly sources: WeakOnlySources;
  readonly has: boolean;
} {
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  for (const one of logins) addLogin(graph, one);
  const name = Buffer.from(PROXY);
  const sources = new WeakOnlySources(graph);
  return { sources, has: sources.has(graph.names.entities[HOST_KIND]!.find(name, 0, name.length)) };
}

const strongThere = (user: string) =>
  login({ timeMs: 2_000_000, user, sourceHost: PROXY, evidence: "strong" });

test("a host from which nothing but weak logins come for a day is weak-only", () => {
  assert.equal(sourcesAfter(proxied(14)).has, true);
});

test("a few weak logins, or many within hours, do not make a host weak-only", () => {
  assert.equal(sourcesAfter(proxied(9)).has, false);
  const fast = proxied(14).map((one, i) => ({ ...one, timeMs: 1_000_000 + i * 60_000 }));
  assert.equal(sourcesAfter(fast).has, false);
  assert.equal(sourcesAfter([]).has, false);
});

test("where a person shows strong evidence a host is none, and a machine's own account is no person", () => {
  assert.equal(sourcesAfter([...proxied(14), strongThere("U7@D")]).has, false);
  assert.equal(sourcesAfter([...proxied(14), strongThere(`${PROXY}$@D`)]).has, true);
  assert.equal(sourcesAfter([...proxied(14), strongThere(`${PROXY}$`)]).has, true);
});

test("they are listed with how many logins were let pass, the most first", () => {
  const { sources } = sourcesAfter([]);
  for (const host of ["C1", "C2", "C2"]) sources.pass(host);
  assert.deepEqual(sources.list(), [
    { host: "C2", logins: 2 },
    { host: "C1", logins: 1 },
  ]);
});
