import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { neighbourhood } from "../../../src/cli/report-page/neighbourhood.ts";
import { Graph } from "../../../src/graph-state/graph.ts";
import type { Login } from "../../../src/ingest/login.ts";
import { addLogin, arbitraryLogin, login, loginBytes } from "../../graph-state/logins.ts";

const BOUNDS = { namedMax: 8, entitiesMax: 20, tiesMax: 50 };
const ROUTE = { user: "U1", sourceHost: "C1", targetHost: "C2" };

function graphOf(logins: readonly Login[]): Graph {
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  for (const one of logins) addLogin(graph, one);
  return graph;
}

const times = (count: number, one: Partial<Login>): Login[] =>
  Array.from({ length: count }, () => login(one));

test("what the alerts name comes first, then its neighbours, the most frequent first", () => {
  const graph = graphOf([
    ...times(1, {}),
    ...times(9, { sourceHost: "C7" }),
    ...times(4, { sourceHost: "C8", targetHost: "C9" }),
  ]);
  const { entities, ties, leftOut } = neighbourhood(graph, [ROUTE], BOUNDS);
  assert.deepEqual(
    entities.map(({ name, isNamed }) => `${name}${isNamed ? "!" : ""}`),
    ["U1!", "C1!", "C2!", "C7", "C8", "C9"],
  );
  const between = (from: string, to: string) =>
    ties.find((tie) => entities[tie.from]!.name === from && entities[tie.to]!.name === to);
  assert.deepEqual(between("U1", "C2")?.logins, [["user-targetHost", 10]]);
  assert.deepEqual(between("C7", "C2")?.logins, [["sourceHost-targetHost", 9]]);
  assert.equal(between("C8", "C9"), undefined, "a link between two neighbours is left out");
  assert.ok(ties.every(({ isOdd }) => !isOdd));
  assert.deepEqual(leftOut, { named: 0, ties: 0 });
});

test("links that an alert was about are odd, and so are those that the graph no longer holds", () => {
  const graph = graphOf(times(3, {}));
  const bytes = loginBytes(login({ sourceHost: "C5" }));
  const ids = new Int32Array(6);
  graph.names.find(bytes, ids);
  graph.apply(bytes, ids);
  graph.markAlert(bytes, ids, false, (kind) => kind.name === "user-sourceHost");
  const routes = [
    { ...ROUTE, sourceHost: "C5" },
    { user: "U1", sourceHost: "gone", targetHost: "" },
  ];
  const { entities, ties } = neighbourhood(graph, routes, BOUNDS);
  const odd = ties.filter(({ isOdd }) => isOdd);
  assert.deepEqual(
    odd.map(({ from, to, logins }) => [entities[from]!.name, entities[to]!.name, logins.length]),
    [
      ["U1", "C5", 1],
      ["U1", "gone", 0],
    ],
  );
});

test("bounds hold, what is odd is kept before what is known, and it is said what had no room", () => {
  const logins = Array.from({ length: 40 }, (_, i) =>
    login({ user: `U${i}`, targetUser: "", sourceHost: `C${i + 3}` }),
  );
  const routes = logins.map(({ user, sourceHost, targetHost }) => ({ user, sourceHost, targetHost }));
  const bounds = { namedMax: 10, entitiesMax: 15, tiesMax: 3 };
  const { entities, ties, leftOut } = neighbourhood(graphOf(logins), routes, bounds);
  assert.equal(entities.length, 15);
  assert.equal(entities.filter(({ isNamed }) => isNamed).length, 10);
  assert.equal(ties.length, 3);
  assert.equal(leftOut.named, 81 - 10);
  assert.ok(leftOut.ties > 0);
});

test("a neighbourhood does not depend on the order in which logins came", () => {
  const logins = fc.array(arbitraryLogin(1e9, 1e9 + 3_600_000), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(
      logins.chain((all) => fc.tuple(fc.constant(all), fc.shuffledSubarray(all, { minLength: all.length }))),
      ([all, shuffled]) => {
        const routes = all.slice(0, 3);
        assert.deepEqual(
          neighbourhood(graphOf(shuffled), routes, BOUNDS),
          neighbourhood(graphOf(all), routes, BOUNDS),
        );
      },
    ),
    { numRuns: 100 },
  );
});
