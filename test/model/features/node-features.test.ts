import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { Graph } from "../../../src/graph-state/graph.ts";
import { ENTITY_KINDS } from "../../../src/graph-state/link-kinds.ts";
import { NO_ENTITY } from "../../../src/graph-state/names.ts";
import { liveTotals } from "../../../src/model/features/live-totals.ts";
import { binOf, edgesOf, FEATURE_KIND, WHOLE } from "../../../src/model/features/node-features.ts";
import { RoleTotals, withFeatures } from "../../../src/model/features/training-features.ts";
import { Random } from "../../../src/model/random.ts";
import { trainingInput } from "../../../src/model/training/training-input.ts";
import { addLogin, login } from "../../graph-state/logins.ts";

const WINDOW = { days: 30, maxLinks: 100_000 };
const HOUR_MS = 3_600_000;

/** Logins of a small network, one in seven weak, one in five failed. */
function network(): Graph {
  const graph = new Graph({ window: WINDOW });
  const random = new Random(3, "network");
  for (let i = 0; i < 600; i++) {
    const user = random.nextInt(20);
    addLogin(
      graph,
      login({
        timeMs: 1_000_000 + i * 60_000,
        user: `U${user}`,
        sourceHost: `C${(user + random.nextInt(2)) % 20}`,
        targetHost: `S${random.nextInt(4)}`,
        authType: random.nextInt(2) === 0 ? "Kerberos" : "NTLM",
        logonType: "Network",
        evidence: i % 7 === 0 ? "weak" : "none",
        outcome: i % 5 === 0 ? "failure" : "success",
      }),
    );
  }
  return graph;
}

const allLinks = (count: number): Int32Array => Int32Array.from({ length: count }, (_, link) => link);

test("what is said of an entity that is trained on, the live graph says of it too", () => {
  const graph = network();
  const input = trainingInput(graph);
  const totals = new RoleTotals(input.graph, allLinks(input.graph.linkFrom.length));
  let compared = 0;
  for (const [entity, name] of input.entityNames.entries()) {
    const kind = input.graph.entityKind[entity]!;
    const bytes = Buffer.from(name);
    const live = liveTotals(graph, kind, graph.names.entities[kind]!.find(bytes, 0, bytes.length));
    for (const role of [...totals.roles[kind]!, WHOLE]) {
      assert.deepEqual(live(role), totals.of(role, entity), `${name}, ${role}`);
      compared++;
    }
  }
  assert.ok(compared > 100);
  assert.deepEqual(totals.roles, [
    ["user-sourceHost/from", "user-targetHost/from"],
    ["sourceHost-targetHost/from", "sourceHost-targetHost/to", "user-sourceHost/to", "user-targetHost/to"],
  ]);
});

test("an entity without links has nothing, whoever had its number before", () => {
  const graph = network();
  const live = liveTotals(graph, ENTITY_KINDS.indexOf("host"), NO_ENTITY);
  assert.deepEqual(live(WHOLE), {
    degree: 0,
    logins: 0,
    weak: 0,
    failures: 0,
    firstMs: Number.POSITIVE_INFINITY,
  });
});

test("a feature is cut where its quantiles differ", () => {
  assert.deepEqual(edgesOf(Float64Array.from([5, 5, 5])), []);
  assert.deepEqual(edgesOf(Float64Array.from([0, 0, 0, 0, 0, 0, 0, 1])), [1]);
  const edges = edgesOf(Float64Array.from({ length: 800 }, (_, i) => i));
  assert.deepEqual(edges, [100, 200, 300, 400, 500, 600, 700]);
  assert.deepEqual(
    [-1, 0, 99, 100, 750, 1e9].map((value) => binOf(edges, value)),
    [0, 0, 0, 1, 7, 7],
  );
});

test("each entity has one bin of each feature of its kind, and no login makes a link of it", () => {
  const input = trainingInput(network());
  const links = input.graph.linkFrom.length;
  const { graph, entityNames } = withFeatures(input, allLinks(links));
  const { bins, from, to, relation } = graph.features!;
  assert.equal(graph.linkFrom.length, links);
  assert.equal(graph.kindNames.at(-1), FEATURE_KIND);
  assert.ok(!graph.linkRelation.includes(relation));
  for (let entity = 0; entity < input.graph.entityCount; entity++) {
    const kind = graph.kindNames[graph.entityKind[entity]!]!;
    const own = Array.from(to.keys()).filter((i) => to[i] === entity);
    assert.equal(own.length, bins.filter((feature) => feature.kind === kind).length);
    for (const i of own) assert.ok(entityNames[from[i]!]!.startsWith(`${kind}/`));
  }
  assert.equal(
    new Set(entityNames.slice(input.graph.entityCount)).size,
    entityNames.length - input.graph.entityCount,
  );
});

test("held-out links say nothing", () => {
  const input = trainingInput(network());
  const half = allLinks(input.graph.linkFrom.length).filter((link) => link % 2 === 0);
  const changed = {
    ...input,
    graph: {
      ...input.graph,
      linkCount: input.graph.linkCount.map((count, link) => (link % 2 === 0 ? count : 1e6)),
    },
  };
  assert.deepEqual(withFeatures(changed, half).graph.features, withFeatures(input, half).graph.features);
  assert.notDeepEqual(
    withFeatures(changed, allLinks(input.graph.linkFrom.length)).graph.features,
    withFeatures(input, allLinks(input.graph.linkFrom.length)).graph.features,
  );
});

test("hours since the first login count from where the graph is", () => {
  const graph = network();
  const before = trainingInput(graph).graph;
  graph.advance(graph.window.watermarkMs + HOUR_MS);
  const links = allLinks(before.linkFrom.length);
  const ages = (input: typeof before) =>
    withFeatures(
      { graph: input, entityNames: Array.from({ length: input.entityCount }, (_, i) => `${i}`) },
      links,
    ).graph.features!.bins.find(({ measure }) => measure === "ageHours")!.edges;
  const later = ages(trainingInput(graph).graph);
  for (const [i, edge] of ages(before).entries()) assert.ok(Math.abs(later[i]! - edge - 1) < 1e-9);
});
