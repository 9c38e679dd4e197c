import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { type NearestLogin, NearestLogins } from "../../src/alerts/nearest-login.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { FactReader, Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import type { LinkKindConfig } from "../../src/graph-state/link-kinds.ts";
import type { Login } from "../../src/ingest/login.ts";
import { addLogin, arbitraryLogin, familiarAfterAnHour, login, loginBytes } from "../graph-state/logins.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 1_000 * HOUR_MS;

function graphOf(known: readonly Login[], links?: readonly LinkKindConfig[]): Graph {
  const graph = new Graph({ window: { days: 60, maxLinks: 1_000_000 }, ...(links && { links }) });
  for (const one of known) addLogin(graph, one);
  graph.advance(NOW_MS);
  return graph;
}

function nearestIn(graph: Graph, asked: Login): NearestLogin | undefined {
  const familiarity = familiarAfterAnHour(graph);
  const reader = new FactReader(graph, familiarity);
  const facts = new Facts();
  const bytes = loginBytes(asked);
  reader.read(bytes, facts);
  return new NearestLogins(graph, reader, familiarity).find(asked, bytes, facts);
}

function nearestTo(asked: Partial<Login>, known: readonly Login[]): NearestLogin | undefined {
  return nearestIn(graphOf(known), login({ timeMs: NOW_MS, ...asked }));
}

/** So many logins, an hour between two of them, the last one `hoursAgo`. */
function repeated(times: number, hoursAgo: number, what: Partial<Login>): Login[] {
  return Array.from({ length: times }, (_, i) =>
    login({ timeMs: NOW_MS - (hoursAgo + times - 1 - i) * HOUR_MS, ...what }),
  );
}

test("the same account from its own host to the same target is nearest, with how often and when", () => {
  const nearest = nearestTo({ sourceHost: "C9" }, [
    ...repeated(3, 5, { sourceHost: "C1" }),
    ...repeated(9, 5, { user: "U7", sourceHost: "C7" }),
    ...repeated(2, 5, { user: "U8", sourceHost: "C9", targetHost: "C8" }),
  ]);
  assert.deepEqual(nearest, {
    user: "U1",
    sourceHost: "C1",
    targetHost: "C2",
    authType: "Kerberos",
    logonType: "Network",
    logins: 3,
    firstSeenMs: NOW_MS - 7 * HOUR_MS,
    lastSeenMs: NOW_MS - 5 * HOUR_MS,
    differs: ["sourceHost"],
    text: "Nearest normal login: the same account from C1 to the same host (Kerberos, Network), at most 3 times, last on 1970-02-11 11:00 UTC; here the source host differs",
  });
});

test("entities count before types, the account before other entities, and types before how often", () => {
  const own = repeated(2, 5, { sourceHost: "C1", authType: "Kerberos" });
  const strange = repeated(50, 5, { user: "U7", sourceHost: "C7", authType: "NTLM" });
  const nearest = nearestTo({ sourceHost: "C9", authType: "NTLM" }, [...own, ...strange]);
  assert.equal(nearest?.user, "U1");
  assert.deepEqual(nearest?.differs, ["sourceHost", "authType"]);
  const pair = repeated(50, 5, { user: "U7", sourceHost: "C9", authType: "NTLM" });
  assert.equal(nearestTo({ sourceHost: "C9", authType: "NTLM" }, [...own, ...pair])?.user, "U1");
  const seldom = repeated(1, 5, { sourceHost: "C3", authType: "NTLM" });
  const same = nearestTo({ sourceHost: "C9", authType: "NTLM" }, [...own, ...strange, ...seldom]);
  assert.deepEqual([same?.sourceHost, same?.authType, same?.differs], ["C3", "NTLM", ["sourceHost"]]);
});

test("of equally near logins the most frequent wins, then the latest, then the first by name", () => {
  const from = (sourceHost: string, times: number, hoursAgo: number) =>
    repeated(times, hoursAgo, { sourceHost });
  const found = (...known: Login[][]) => nearestTo({ sourceHost: "C9" }, known.flat())?.sourceHost;
  assert.equal(found(from("C3", 2, 9), from("C4", 3, 30)), "C4");
  assert.equal(found(from("C4", 2, 30), from("C3", 2, 9)), "C3");
  assert.equal(found(from("C4", 2, 9), from("C3", 2, 9)), "C3");
});

test("a login that is usual in everything is its own nearest one", () => {
  const nearest = nearestTo({}, repeated(4, 2, {}));
  assert.deepEqual([nearest?.logins, nearest?.differs], [4, []]);
  assert.match(
    nearest!.text,
    /the same account from the same host to the same host .*; nothing of that differs here$/,
  );
  const byNtlm = nearestTo({ authType: "NTLM" }, repeated(4, 2, {}));
  assert.match(byNtlm!.text, /here the auth type differs$/);
});

test("an account that was never seen is held against others that took the same way", () => {
  const nearest = nearestTo({ user: "stranger" }, repeated(4, 2, {}));
  assert.deepEqual([nearest?.user, nearest?.differs], ["U1", ["user"]]);
  assert.match(nearest!.text, /^Nearest normal login: U1 from the same host to the same host/);
});

test("where nothing but the account is known, its most frequent login is nearest", () => {
  const nearest = nearestTo({ sourceHost: "C8", targetHost: "C9" }, [
    ...repeated(4, 2, {}),
    ...repeated(5, 2, { sourceHost: "C5", targetHost: "C6" }),
  ]);
  assert.deepEqual(
    [nearest?.sourceHost, nearest?.targetHost, nearest?.logins, nearest?.differs],
    ["C5", "C6", 5, ["sourceHost", "targetHost"]],
  );
});

test("a login without a target is held against those from other hosts, with exact numbers", () => {
  const nearest = nearestTo({ sourceHost: "C9", targetHost: "" }, repeated(4, 2, { targetHost: "" }));
  assert.deepEqual(
    [nearest?.sourceHost, nearest?.targetHost, nearest?.authType, nearest?.differs],
    ["C1", "", null, ["sourceHost"]],
  );
  assert.match(nearest!.text, /the same account from C1, 4 times, last on/);
});

test("a login on one host is held against logins on one host", () => {
  const known = [
    ...repeated(9, 2, { targetHost: "C9" }),
    ...repeated(4, 2, { sourceHost: "C5", targetHost: "C5" }),
  ];
  const nearest = nearestTo({ sourceHost: "C9", targetHost: "C9" }, known);
  assert.deepEqual(
    [nearest?.sourceHost, nearest?.targetHost, nearest?.differs],
    ["C5", "C5", ["sourceHost", "targetHost"]],
  );
  assert.match(nearest!.text, /the same account on C5, at most 4 times, .*; here the host differs$/);
  // And the other way round: what happened on one host is no login from host to host.
  const remote = nearestTo(
    { sourceHost: "C5", targetHost: "C9" },
    repeated(4, 2, { sourceHost: "C5", targetHost: "C5" }),
  );
  assert.equal(remote, undefined);
});

test("young links, and such as were only tried, are not normal", () => {
  assert.equal(nearestTo({ sourceHost: "C9" }, repeated(4, 0, {}).slice(-1)), undefined);
  assert.equal(nearestTo({ sourceHost: "C9" }, repeated(9, 2, { outcome: "failure" })), undefined);
  assert.equal(nearestTo({}, []), undefined);
});

test("a type with a separator in its name is told if it is the login's own, and else left out", () => {
  const odd = { authType: "a::b", logonType: "::" };
  const same = nearestTo({ sourceHost: "C9", ...odd }, repeated(3, 2, odd));
  assert.deepEqual([same?.authType, same?.logonType, same?.differs], ["a::b", "::", ["sourceHost"]]);
  const other = nearestTo({ sourceHost: "C9" }, repeated(3, 2, odd));
  assert.deepEqual([other?.authType, other?.logonType, other?.differs], [null, null, ["sourceHost"]]);
});

test("names may look like keys of objects, markup or separators", () => {
  const names = { user: "__proto__", sourceHost: "a -> b", targetHost: "<b>\u202e::" };
  const nearest = nearestTo({ ...names, user: "constructor" }, repeated(3, 2, names));
  assert.deepEqual([nearest?.user, nearest?.differs], ["__proto__", ["user"]]);
});

test("where only some links are configured, only what they tell is told", () => {
  const links = [{ from: "user", to: "targetHost", relation: "untyped" }] as const;
  const graph = graphOf(repeated(3, 2, {}), links);
  const nearest = nearestIn(graph, login({ timeMs: NOW_MS, targetHost: "C9", authType: "NTLM" }));
  assert.deepEqual(
    [nearest?.user, nearest?.sourceHost, nearest?.targetHost, nearest?.authType, nearest?.differs],
    ["U1", "", "C2", null, ["targetHost"]],
  );
});

test("in a small graph the nearest login is that of a search through all, whatever the order in which it came about", () => {
  const logins = fc.array(arbitraryLogin(NOW_MS - 40 * HOUR_MS, NOW_MS), { minLength: 1, maxLength: 60 });
  fc.assert(
    fc.property(logins, arbitraryLogin(NOW_MS, NOW_MS), (known, asked) => {
      const graph = graphOf(known);
      const digest = digestOf(graph);
      const nearest = nearestIn(graph, asked);
      assert.equal(digestOf(graph), digest, "reading changes nothing");
      assert.deepEqual(nearestIn(graphOf(known.toReversed()), asked), nearest);
      const best = bestOfAll(known, asked);
      assert.deepEqual(nearest && [nearest.logins, nearest.lastSeenMs, sharedEntities(nearest, asked)], best);
    }),
    { numRuns: 500 },
  );
});

test("a hub with 100,000 links costs no more than the bound, and is known by its most frequent peer", () => {
  const known = Array.from({ length: 100_000 }, (_, i) =>
    login({ timeMs: NOW_MS - 50 * HOUR_MS, user: `U${i}`, sourceHost: `C${i}`, targetHost: "hub" }),
  );
  const often = repeated(5, 2, { user: "U77", sourceHost: "C77", targetHost: "hub" });
  const graph = graphOf([...known, ...often]);
  let looked = 0;
  const { linksAt } = graph;
  graph.linksAt = function* (...of) {
    for (const row of linksAt.apply(graph, of)) {
      looked++;
      yield row;
    }
  };
  const stranger = nearestIn(
    graph,
    login({ timeMs: NOW_MS, user: "stranger", sourceHost: "new", targetHost: "hub" }),
  );
  assert.deepEqual([stranger?.user, stranger?.sourceHost, stranger?.logins], ["U77", "C77", 6]);
  const own = nearestIn(graph, login({ timeMs: NOW_MS, user: "U5", sourceHost: "new", targetHost: "hub" }));
  assert.deepEqual([own?.user, own?.sourceHost], ["U5", "C5"]);
  assert.ok(looked < 512, `${looked} links looked at`);
});

function sharedEntities(one: Pick<Login, "user" | "sourceHost" | "targetHost">, asked: Login): number {
  const isLocal = asked.sourceHost === asked.targetHost;
  const columns = ["user", "sourceHost", ...(isLocal ? [] : ["targetHost"])] as (
    | "user"
    | "sourceHost"
    | "targetHost"
  )[];
  return columns.filter((column) => asked[column] !== "" && one[column] === asked[column]).length;
}

/** Number of logins at most, last time at the latest, and how many entities are shared: by trying everything. */
function bestOfAll(known: readonly Login[], asked: Login): number[] | undefined {
  const isLocal = asked.sourceHost === asked.targetHost;
  const users = [...new Set(known.map(({ user }) => user))];
  const hosts = [...new Set(known.flatMap(({ sourceHost, targetHost }) => [sourceHost, targetHost]))].filter(
    Boolean,
  );
  const seen = (matches: (one: Login) => boolean): Login[] => known.filter(matches);
  let best: { rank: number[]; told: number[] } | undefined;
  for (const user of users)
    for (const sourceHost of asked.sourceHost === "" ? [""] : hosts)
      for (const targetHost of isLocal ? [sourceHost] : hosts) {
        if (!isLocal && sourceHost === targetHost) continue;
        const shared = sharedEntities({ user, sourceHost, targetHost }, asked);
        if (shared === 0) continue;
        const pairs = [seen((one) => one.user === user && one.targetHost === targetHost)];
        if (sourceHost !== "") pairs.push(seen((one) => one.user === user && one.sourceHost === sourceHost));
        const isPair = sourceHost !== "" && !isLocal;
        const between = seen((one) => one.sourceHost === sourceHost && one.targetHost === targetHost);
        if (isPair) pairs.push(between);
        const isNormal = (links: readonly Login[]): boolean =>
          links.some(({ outcome }) => outcome !== "failure") &&
          NOW_MS - Math.min(...links.map(({ timeMs }) => timeMs)) >= HOUR_MS;
        if (!pairs.every(isNormal)) continue;
        const types = isPair
          ? [...new Set(between.map(({ authType, logonType }) => `${authType}::${logonType}`))]
          : [];
        const typed = types
          .map((type) => between.filter(({ authType, logonType }) => `${authType}::${logonType}` === type))
          .filter(isNormal);
        for (const links of typed.length > 0 ? typed : [[]]) {
          const [first] = links;
          const sharedTypes =
            first === undefined
              ? 0
              : Number(first.authType === asked.authType) + Number(first.logonType === asked.logonType);
          const all = links.length > 0 ? [...pairs, links] : pairs;
          const logins = Math.min(...all.map(({ length }) => length));
          const lastMs = Math.min(...all.map((some) => Math.max(...some.map(({ timeMs }) => timeMs))));
          const rank = [shared, Number(user === asked.user), sharedTypes, logins, lastMs];
          if (best === undefined || compareRanks(rank, best.rank) > 0)
            best = { rank, told: [logins, lastMs, shared] };
        }
      }
  return best?.told;
}

function compareRanks(a: readonly number[], b: readonly number[]): number {
  const place = a.findIndex((value, i) => value !== b[i]);
  return place < 0 ? 0 : a[place]! - b[place]!;
}
