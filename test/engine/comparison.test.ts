import assert from "node:assert/strict";
import { test } from "node:test";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { loadConfig } from "../../src/config/load.ts";
import { alertRecord } from "../../src/engine/records.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { tellLogin } from "../../src/engine/telling.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import type { Login } from "../../src/ingest/login.ts";
import { trainingInput } from "../../src/model/training/training-input.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { untrainedEpoch } from "../model/epochs.ts";
import { DAY_MS, MINUTE_MS, ordinary, START_MS } from "./office.ts";

const DAYS = 4;
const NOW_MS = START_MS + DAYS * DAY_MS;
const CONFIG = loadConfig({
  environment: {},
  flags: { "training.mode": "off", detector: "surprise", threshold: 1 },
});

/** An engine's scoring after some days in an office. */
function afterDays(hasEpoch = true): Scoring {
  const scoring = new Scoring(CONFIG, () => true);
  let offset = 0;
  for (const added of ordinary(NOW_MS)) {
    scoring.advance(added.timeMs);
    scoring.score(loginBytes(added), 0);
    scoring.add(loginBytes(added), 0, offset++);
  }
  if (hasEpoch) scoring.adopt(untrainedEpoch(1, 1, trainingInput(scoring.graph)));
  return scoring;
}

function findingOf(scoring: Scoring, odd: Login): DetectionFinding {
  const bytes = loginBytes(odd);
  scoring.advance(odd.timeMs);
  const scored = scoring.score(bytes, 0);
  // Every login alerts by that threshold, but for repetitions: whoever asks wants the explanation.
  const told = tellLogin(
    scoring,
    { ...scored, decision: { ...scored.decision!, isAlert: true } } as typeof scored,
    bytes,
    0,
    () => "alert",
  )!;
  const origin = { topic: "logins", partition: 0, offset: 1 };
  return JSON.parse(alertRecord(scoring, CONFIG, bytes, origin, scored, told, null).finding);
}

const payroll = (what: Partial<Login> = {}): Login =>
  login({ timeMs: NOW_MS + MINUTE_MS, user: "U3", sourceHost: "W3", targetHost: "payroll", ...what });

test("an alert says the nearest normal login, what the model expected and when its links were last seen", () => {
  const finding = findingOf(afterDays(), payroll());
  const { nearestLogin, expectedPeers, lastSeen } = finding.evidences[0].data as Record<string, never>;
  const nearest = nearestLogin as { user: string; sourceHost: string; differs: string[]; text: string };
  assert.deepEqual([nearest.user, nearest.sourceHost, nearest.differs], ["U3", "W3", ["targetHost"]]);
  assert.match(
    nearest.text,
    /the same account from the same host to S\d+ \(Kerberos, Network\), at most \d+ times/,
  );
  const expected = expectedPeers as { link: string; peers: unknown[]; observed: { name: string } }[];
  // Everybody has a host of his own: there is no other that he could be expected on.
  assert.deepEqual(
    expected.map(({ link, peers, observed }) => [link, peers.length, observed.name]),
    [
      ["user-targetHost", 3, "payroll"],
      ["sourceHost-targetHost", 3, "payroll"],
    ],
  );
  assert.deepEqual(
    (lastSeen as { link: string; lastSeenMs: number | null }[]).map(({ link, lastSeenMs }) => [
      link,
      lastSeenMs !== null,
    ]),
    [
      ["user-sourceHost", true],
      ["user-targetHost", false],
      ["sourceHost-targetHost", false],
    ],
  );
  const baselines = finding.anomaly_analyses[0].baselines!;
  const types = baselines.map(({ observation_type }) => observation_type);
  for (const type of ["nearest normal login", "expected by the graph model", "last seen"])
    assert.ok(types.includes(type), type);
  const never = baselines.find(({ observed_pattern }) =>
    /U3 never logged on to payroll/.test(observed_pattern ?? ""),
  );
  assert.deepEqual(never?.observations, [{ value: "never", count: 0 }]);
});

test("without an epoch nothing is said of expected hosts, and the rest is", () => {
  const { data } = findingOf(afterDays(false), payroll()).evidences[0];
  assert.equal("expectedPeers" in data, false);
  assert.ok("nearestLogin" in data && "lastSeen" in data);
});

test("explaining changes nothing in the graph, and says the same twice", () => {
  const scoring = afterDays();
  const odd: Login[] = [
    payroll(),
    payroll({ user: "stranger" }),
    payroll({ user: "stranger", sourceHost: "nowhere", targetHost: "elsewhere" }),
    payroll({ targetHost: "" }),
    payroll({ sourceHost: "" }),
    payroll({ targetHost: "W3" }),
    payroll({ authType: "a::b", logonType: "" }),
    payroll({ user: "__proto__", sourceHost: "\u202e::", targetHost: "<b>" }),
  ];
  for (const one of odd) {
    const bytes = loginBytes(one);
    const before = digestOf(scoring.graph);
    const first = JSON.stringify(scoring.probe(bytes));
    assert.equal(JSON.stringify(scoring.probe(bytes)), first);
    assert.equal(digestOf(scoring.graph), before);
    findingOf(scoring, one);
    assert.equal(digestOf(scoring.graph), before);
  }
});

test("of a login that shares nothing with anybody nothing nearer is told", () => {
  const { nearestLogin, lastSeen } = afterDays().probe(
    loginBytes(payroll({ user: "stranger", sourceHost: "nowhere", targetHost: "elsewhere" })),
  );
  assert.equal(nearestLogin, undefined);
  assert.ok(lastSeen.every(({ lastSeenMs, logins }) => lastSeenMs === null && logins === 0));
});

test("the signal that is off has no say in what would have been expected", () => {
  const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
  const scoring = new Scoring({ ...config, withoutSignal: "link" }, () => true);
  for (const added of ordinary(START_MS + DAY_MS)) {
    scoring.advance(added.timeMs);
    scoring.score(loginBytes(added), 0);
    scoring.add(loginBytes(added), 0, 0);
  }
  scoring.adopt(untrainedEpoch(1, 1, trainingInput(scoring.graph)));
  assert.deepEqual(scoring.probe(loginBytes(payroll())).expectedPeers, []);
});
