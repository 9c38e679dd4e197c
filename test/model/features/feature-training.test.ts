import assert from "node:assert/strict";
import { test } from "node:test";
import { FactReader, Facts } from "../../../src/graph-state/facts.ts";
import { Graph } from "../../../src/graph-state/graph.ts";
import { decodeEpoch, encodeEpoch } from "../../../src/model/epoch.ts";
import { LinkSignal } from "../../../src/model/link-signal.ts";
import { Random } from "../../../src/model/random.ts";
import { trainRequested } from "../../../src/model/training/epoch-training.ts";
import { trainingOptionsSchema } from "../../../src/model/training/training-options.ts";
import { trainingSnapshot } from "../../../src/model/training/training-snapshot.ts";
import { addLogin, familiarAfterAnHour, login, loginBytes } from "../../graph-state/logins.ts";

const HOUR_MS = 3_600_000;
const END_MS = 1_000_000 + 100 * HOUR_MS;
const options = (more: object) =>
  trainingOptionsSchema.parse({ dimensions: 8, bases: 2, steps: 40, threads: 1, ...more });

/** Users who log on to one of two servers by a type that has a version of its own each time. */
function office(): Graph {
  const graph = new Graph({ window: { days: 30, maxLinks: 100_000 } });
  const random = new Random(2, "office");
  for (let i = 0; i < 800; i++) {
    const user = random.nextInt(40);
    addLogin(
      graph,
      login({
        timeMs: 1_000_000 + Math.floor((i / 800) * 100) * HOUR_MS,
        user: `U${user}`,
        sourceHost: `C${user}`,
        targetHost: `S${random.nextInt(5)}`,
        authType: user % 2 === 0 ? `Kerberos-${random.nextInt(9)}` : `NTLM-${random.nextInt(9)}`,
        logonType: "Network",
      }),
    );
  }
  return graph;
}

const trained = (graph: Graph, more: object, previous?: Awaited<ReturnType<typeof trainRequested>>) =>
  trainRequested({
    number: 1,
    trainedAtMs: END_MS,
    snapshot: trainingSnapshot(graph),
    options: options(more),
    previous,
    isWarm: true,
    isGated: true,
  });

test("an epoch with features and topics is read back as it was written", async () => {
  const epoch = await trained(office(), { features: true, topics: 2 });
  const read = decodeEpoch(encodeEpoch(epoch));
  assert.deepEqual(read, epoch);
  const { features, topics, relationNames, entityCount } = read.manifest;
  assert.ok(features.length > 5);
  assert.equal(topics!.topics.length, 2);
  assert.equal(relationNames.filter((name) => name.startsWith("sourceHost-targetHost/")).length, 2);
  // 40 users, 40 sources and 5 servers: what stands for bins is no entity.
  assert.equal(entityCount, 85);
});

test("the next epoch goes on from one with features and topics, and is compared with it", async () => {
  const graph = office();
  const first = await trained(graph, { features: true, topics: 2 });
  for (let i = 0; i < 30; i++)
    addLogin(
      graph,
      login({
        timeMs: END_MS + i,
        user: `NEW${i}`,
        sourceHost: `N${i}`,
        targetHost: "S1",
        authType: "NTLM-77",
      }),
    );
  const next = await trained(graph, { features: true, topics: 2 }, first);
  assert.equal(next.manifest.startedFrom, first.manifest.digest);
  assert.deepEqual(next.manifest.topics, first.manifest.topics);
  assert.equal(next.manifest.gate!.running, 1);
  // From one without, and to one without, too.
  const plain = await trained(graph, {}, next);
  assert.deepEqual([plain.manifest.features, plain.manifest.topics], [[], null]);
  assert.equal(
    (await trained(graph, { features: true, topics: 2 }, plain)).manifest.startedFrom,
    plain.manifest.digest,
  );
});

/** What the link signal says of a login by someone whom the epoch does not know. */
async function oddnessOf(
  more: object,
  asked: ReturnType<typeof login>,
  before: readonly ReturnType<typeof login>[] = [],
) {
  const graph = office();
  const signal = new LinkSignal(graph, familiarAfterAnHour(graph));
  signal.adopt(await trained(graph, more));
  for (const one of before) addLogin(graph, one);
  const facts = new Facts();
  new FactReader(graph, familiarAfterAnHour(graph)).read(loginBytes(asked), facts);
  signal.probability(loginBytes(asked), facts);
  return signal.oddness;
}

test("what an unknown entity does counts for it: who has been to all servers is not who was never seen", async () => {
  const asked = login({ timeMs: END_MS, user: "NEW", sourceHost: "C1", targetHost: "S1" });
  const servers = Array.from({ length: 60 }, (_, i) =>
    // From hosts that the epoch does not know either: they are no neighbours.
    login({ timeMs: END_MS - HOUR_MS + i, user: "NEW", sourceHost: `X${i}`, targetHost: `Y${i}` }),
  );
  const plain = await oddnessOf({}, asked);
  const told = await oddnessOf({ features: true }, asked);
  assert.equal((await oddnessOf({}, asked, servers)).userTarget, plain.userTarget);
  assert.notEqual((await oddnessOf({ features: true }, asked, servers)).userTarget, told.userTarget);
});

test("a type that was never seen is scored as the topic that it is spelt like", async () => {
  const at = (authType: string) =>
    oddnessOf(
      { topics: 2 },
      login({
        timeMs: END_MS,
        user: "U1",
        sourceHost: "C2",
        targetHost: "C3",
        authType,
        logonType: "Network",
      }),
    );
  const [seen, unseen, other] = [await at("NTLM-3"), await at("NTLM-99"), await at("Kerberos-99")];
  assert.equal(unseen.sourceTarget, seen.sourceTarget);
  assert.notEqual(other.sourceTarget, seen.sourceTarget);
});
