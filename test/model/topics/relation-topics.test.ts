import assert from "node:assert/strict";
import { test } from "node:test";
import { groupRelations } from "../../../src/model/topics/relation-topics.ts";
import { twoCommunities } from "../graphs.ts";

const input = twoCommunities({ users: 20, hosts: 20, links: 120 });

/** The same links with a type each, of two families of five names. */
function typed() {
  const families = ["NTLM::Network", "Kerberos::Service"];
  const names = families.flatMap((family) =>
    Array.from({ length: 5 }, (_, i) => `user-sourceHost/${family}${i}`),
  );
  const relationNames = [...names, "user-targetHost"].sort();
  const { graph } = input;
  const of = (link: number): string =>
    graph.linkRelation[link] === 1 ? "user-targetHost" : names[link % names.length]!;
  return {
    ...input,
    graph: {
      ...graph,
      relationNames,
      linkRelation: graph.linkRelation.map((_, link) => relationNames.indexOf(of(link))),
    },
  };
}

test("without topics, or with no more types than topics, relations stay as they are", () => {
  for (const topics of [0, 10])
    assert.deepEqual(groupRelations(typed(), topics, 1, null), { input: typed(), topics: null });
  assert.equal(groupRelations(input, 2, 1, null).input, input);
});

test("links of one topic have one relation, those of the same ends become one, and logins add up", () => {
  const { input: grouped, topics } = groupRelations(typed(), 2, 1, null);
  const { graph } = grouped;
  assert.equal(topics!.topics.length, 2);
  assert.equal(graph.relationNames.length, 3);
  assert.ok(graph.relationNames.includes("user-targetHost"));
  const sum = (values: Float64Array): number => values.reduce((a, b) => a + b, 0);
  assert.equal(sum(graph.linkCount), sum(input.graph.linkCount));
  const keys = Array.from(graph.linkFrom, (from, i) => [from, graph.linkRelation[i]!, graph.linkTo[i]!]);
  assert.equal(new Set(keys.map(String)).size, keys.length);
  assert.deepEqual(
    keys,
    keys.toSorted((a, b) => a[0]! - b[0]! || a[1]! - b[1]! || a[2]! - b[2]!),
  );
});

test("topics stay from epoch to epoch, unless another number is asked for", () => {
  const first = groupRelations(typed(), 2, 1, null).topics!;
  assert.equal(groupRelations(typed(), 2, 99, first).topics, first);
  assert.equal(groupRelations(typed(), 3, 1, first).topics!.topics.length, 3);
});
