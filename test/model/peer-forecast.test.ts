import assert from "node:assert/strict";
import { test } from "node:test";
import { FactReader, Facts } from "../../src/graph-state/facts.ts";
import { Graph } from "../../src/graph-state/graph.ts";
import type { Login } from "../../src/ingest/login.ts";
import { LinkSignal } from "../../src/model/link-signal.ts";
import { CANDIDATES_MAX, type Forecast, PeerForecast } from "../../src/model/peer-forecast.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { addLogin, familiarAfterAnHour, login, loginBytes } from "../graph-state/logins.ts";
import { untrainedEpoch } from "./epochs.ts";

const HOUR_MS = 3_600_000;
const NOW_MS = 100 * HOUR_MS;

type World = { readonly graph: Graph; readonly signal: LinkSignal };

function worldOf(known: readonly Login[]): World {
  const graph = new Graph({ window: { days: 30, maxLinks: 1_000_000 } });
  for (const one of known) addLogin(graph, one);
  const signal = new LinkSignal(graph, familiarAfterAnHour(graph));
  signal.adopt(untrainedEpoch(1, 1, trainingInput(graph)));
  return { graph, signal };
}

function forecastsOf({ graph, signal }: World, asked: Login): Forecast[] {
  const facts = new Facts();
  const bytes = loginBytes(asked);
  new FactReader(graph, familiarAfterAnHour(graph)).read(bytes, facts);
  return new PeerForecast(graph, signal).of(bytes, facts, "inForce");
}

const old = (what: Partial<Login>): Login => login({ timeMs: NOW_MS - 5 * HOUR_MS, ...what });
const asked = (what: Partial<Login> = {}): Login => login({ timeMs: NOW_MS, ...what });

/** U1 and U2 share C1; U2 is on C3 and C4 too. */
const OFFICE: readonly Login[] = [
  old({}),
  old({ user: "U2" }),
  old({ user: "U2", sourceHost: "C3", targetHost: "C4" }),
  old({ user: "U3", sourceHost: "C5", targetHost: "C6" }),
];

test("own hosts and those of others who share one are ranked by the model, with the observed one among them", () => {
  const world = worldOf(OFFICE);
  const [source, target, pair] = forecastsOf(world, asked({ sourceHost: "C5" }));
  assert.deepEqual(
    [source?.kind.name, target?.kind.name, pair?.kind.name],
    ["user-sourceHost", "user-targetHost", "sourceHost-targetHost"],
  );
  // C1 is his own, C3 that of U2, who shares it; C5 is the observed one.
  assert.equal(source!.candidates, 3);
  assert.deepEqual(source!.peers.map(({ name }) => name).toSorted(), ["C1", "C3"]);
  assert.deepEqual(Object.fromEntries(source!.peers.map(({ name, logins }) => [name, logins])), {
    C1: 1,
    C3: 0,
  });
  const likelihoods = source!.peers.map(({ likelihood }) => likelihood);
  assert.deepEqual(
    likelihoods,
    likelihoods.toSorted((a, b) => b - a),
  );
  assert.ok(likelihoods.every((likelihood) => likelihood > 0 && likelihood <= 1));
  const better = likelihoods.filter((likelihood) => likelihood > source!.observed.likelihood).length;
  assert.ok(source!.rank > better && source!.rank <= 3);
});

test("the observed host's likelihood is that of the link signal", () => {
  const world = worldOf(OFFICE);
  const login = asked({ sourceHost: "C5" });
  const [source] = forecastsOf(world, login);
  const facts = new Facts();
  const bytes = loginBytes(login);
  new FactReader(world.graph, familiarAfterAnHour(world.graph)).read(bytes, facts);
  world.signal.probability(bytes, facts);
  const own = Math.exp(-world.signal.oddness.userSource);
  assert.equal(source!.observed.likelihood, Number(own.toPrecision(3)));
});

test("what the epoch does not know is embedded on the spot: an account of later, one that nobody knows, a host that nobody knows", () => {
  const world = worldOf(OFFICE);
  addLogin(world.graph, old({ user: "later" }));
  for (const who of [
    { user: "later", sourceHost: "C5" },
    { user: "stranger" },
    { sourceHost: "nowhere" },
    { user: "stranger", sourceHost: "nowhere" },
  ])
    for (const { observed, rank, candidates } of forecastsOf(world, asked(who))) {
      assert.ok(observed.likelihood > 0 && observed.likelihood <= 1);
      assert.ok(rank >= 1 && rank <= candidates);
    }
  const [ofLater] = forecastsOf(world, asked({ user: "later", sourceHost: "C5" }));
  assert.ok(ofLater!.peers.some(({ name }) => name === "C1"));
});

test("nothing is said without an epoch, and nothing where there is nothing to compare with", () => {
  const graph = new Graph({ window: { days: 30, maxLinks: 10_000 } });
  for (const one of OFFICE) addLogin(graph, one);
  const without = { graph, signal: new LinkSignal(graph, familiarAfterAnHour(graph)) };
  assert.deepEqual(forecastsOf(without, asked()), []);
  const nobody = asked({ user: "stranger", sourceHost: "nowhere", targetHost: "" });
  assert.deepEqual(forecastsOf(worldOf(OFFICE), nobody), []);
});

test("no host is expected to reach itself, and a login on one host has no link between hosts", () => {
  const known = [...OFFICE, old({ user: "U2", sourceHost: "C2", targetHost: "C1" })];
  for (const sourceHost of ["C1", "C2", "C3"])
    for (const { kind, peers } of forecastsOf(worldOf(known), asked({ sourceHost, targetHost: "C6" })))
      if (kind.name === "sourceHost-targetHost") assert.ok(peers.every(({ name }) => name !== sourceHost));
  const local = forecastsOf(worldOf(known), asked({ sourceHost: "C1", targetHost: "C1" }));
  assert.deepEqual(
    local.map(({ kind }) => kind.name),
    ["user-sourceHost", "user-targetHost"],
  );
});

test("the order in which links came about changes nothing", () => {
  const known = Array.from({ length: 300 }, (_, i) =>
    old({ user: `U${i % 17}`, sourceHost: `C${i % 23}`, targetHost: `S${(i * 7) % 31}` }),
  );
  const told = (logins: readonly Login[]) =>
    forecastsOf(worldOf(logins), asked({ user: "U3", sourceHost: "C9", targetHost: "S4" })).map(
      ({ kind, ...rest }) => ({ kind: kind.name, ...rest }),
    );
  assert.deepEqual(told(known.toReversed()), told(known));
});

test("around hubs with 100,000 links the candidates and the links looked at stay within their bounds", () => {
  const known = [
    ...Array.from({ length: 100_000 }, (_, i) =>
      old({ user: `U${i}`, sourceHost: `C${i}`, targetHost: "hub" }),
    ),
    ...Array.from({ length: 600 }, (_, i) => old({ user: "busy", sourceHost: `C${i}`, targetHost: `S${i}` })),
  ];
  const world = worldOf(known);
  let looked = 0;
  const { linksAt } = world.graph;
  world.graph.linksAt = function* (...of) {
    for (const row of linksAt.apply(world.graph, of)) {
      looked++;
      yield row;
    }
  };
  for (const user of ["busy", "U5", "stranger"]) {
    looked = 0;
    const forecasts = forecastsOf(world, asked({ user, sourceHost: "C7", targetHost: "hub" }));
    assert.ok(forecasts.length >= 1);
    for (const { candidates } of forecasts) assert.ok(candidates <= CANDIDATES_MAX + 1);
    // Three links, each with its own hosts, those of the other entity, and what is around five seeds.
    assert.ok(looked < 3 * (2 * 512 + 5 * 128 + 30 * 32), `${looked} links looked at for ${user}`);
  }
});
