import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { attackGraphOf } from "../../src/alerts/attack-graph.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

test("the login is drawn with what was odd, and one hop of what is usual around it", () => {
  const odd = {
    ...STOLEN,
    usual: [
      ...STOLEN.usual,
      {
        parameter: "user",
        entity: "laptop-9",
        entityKind: "host" as const,
        values: [{ value: "bob", count: 7 }],
      },
      {
        parameter: "authType",
        entity: "alice@CORP",
        entityKind: "user" as const,
        values: [{ value: "NTLM", count: 3 }],
      },
    ],
  };
  const graph = attackGraphOf(odd)!;
  assert.deepEqual(
    graph.nodes.map(({ uid, type }) => `${uid} ${type}`),
    [
      "user/alice@CORP User",
      "host/laptop-9 Host",
      "host/files-1 Host",
      "host/laptop-1 Host",
      "user/bob User",
    ],
  );
  assert.deepEqual(
    graph.edges.map(({ source, relation, target, name }) => `${source} ${relation} ${target}: ${name}`),
    [
      "user/alice@CORP logs on from host/laptop-9: odd-login",
      "user/alice@CORP logs on to host/files-1: odd-login",
      "host/laptop-9 reaches host/files-1: odd-login",
      "user/alice@CORP logs on from host/laptop-1: 120 logins",
      "user/bob logs on from host/laptop-9: 7 logins",
    ],
  );
});

test("what is usual and what is odd are one edge, the odd one; a login to oneself is none", () => {
  const odd = {
    ...withLogin(STOLEN, { sourceHost: "a", targetHost: "a" }),
    usual: [
      {
        parameter: "sourceHost",
        entity: "alice@CORP",
        entityKind: "user" as const,
        values: [{ value: "a", count: 1 }],
      },
    ],
  };
  assert.deepEqual(
    attackGraphOf(odd)!.edges.map(({ relation, name }) => `${relation}: ${name}`),
    ["logs on from: odd-login", "logs on to: odd-login"],
  );
  assert.equal(attackGraphOf(withLogin(STOLEN, { sourceHost: "", targetHost: "" })), undefined);
});

test("whatever the names, each edge joins two nodes that are there, and no two are the same", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { nodes, edges } = attackGraphOf(odd) ?? { nodes: [], edges: [] };
      const uids = new Set(nodes.map(({ uid }) => uid));
      assert.equal(uids.size, nodes.length);
      assert.equal(new Set(edges.map(({ uid }) => uid)).size, edges.length);
      for (const { source, target } of edges)
        assert.ok(uids.has(source) && uids.has(target) && source !== target);
    }),
  );
});
