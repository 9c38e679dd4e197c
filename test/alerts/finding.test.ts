import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../src/alerts/finding.ts";
import type { OddLogin } from "../../src/alerts/odd-login.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

const RUNS = 1_000;

test("the same odd login gives the same bytes, whatever the order of its keys", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const once = JSON.stringify(toFinding(odd));
      assert.equal(JSON.stringify(toFinding(structuredClone(odd))), once);
      assert.equal(JSON.stringify(toFinding(backwards(odd) as OddLogin)), once);
    }),
    { numRuns: RUNS },
  );
});

test("numbers and captions that tell the same fact agree", () => {
  const severities = ["Unknown", "Informational", "Low", "Medium", "High", "Critical", "Fatal"];
  const confidences = ["Unknown", "Low", "Medium", "High"];
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const finding = toFinding(odd);
      assert.equal(finding.type_uid, finding.class_uid * 100 + finding.activity_id);
      assert.equal(finding.activity_name, finding.activity_id === 1 ? "Create" : "Update");
      assert.equal(finding.type_name, `${finding.class_name}: ${finding.activity_name}`);
      assert.equal(finding.severity, severities[finding.severity_id]);
      assert.equal(finding.confidence, confidences[finding.confidence_id]);
      const isSuppressed = odd.suppression !== undefined;
      assert.equal(finding.is_alert, finding.activity_id === 1 && !isSuppressed);
      assert.equal(finding.status_id, isSuppressed ? 3 : undefined);
      assert.equal(finding.status, isSuppressed ? "Suppressed" : undefined);
      assert.equal(finding.count, finding.finding_info.related_events_count);
      assert.equal(finding.metadata.correlation_uid, finding.finding_info.uid);
      assert.equal(finding.finding_info.analytic.name, odd.signal);
    }),
    { numRuns: RUNS },
  );
});

test("every observable points at its value in the finding", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const finding = toFinding(odd);
      for (const { name, value } of finding.observables) assert.equal(at(finding, name), value);
    }),
    { numRuns: RUNS },
  );
});

test("times are whole, and a span never runs backwards", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { time, start_time, end_time, finding_info } = toFinding(odd);
      assert.equal(time, Math.floor(odd.login.timeMs));
      assert.equal(start_time === undefined, end_time === undefined);
      if (start_time === undefined || end_time === undefined) return;
      assert(start_time <= time && time <= end_time);
      assert.equal(finding_info.created_time, start_time);
      assert.equal(finding_info.modified_time, end_time);
    }),
    { numRuns: RUNS },
  );
});

test("the first alert of an incident creates a finding and later ones update the same", () => {
  const first = toFinding(STOLEN);
  const later = toFinding({
    ...withLogin(STOLEN, { timeMs: STOLEN.login.timeMs + 60_000 }),
    uid: "c".repeat(32),
    incidentCount: 3,
    incidentFirstMs: STOLEN.login.timeMs,
  });
  assert.deepEqual([first.type_uid, first.count, first.is_alert], [200401, 1, true]);
  assert.deepEqual([later.type_uid, later.count, later.is_alert], [200402, 3, false]);
  assert.equal(first.finding_info.uid, STOLEN.incidentUid);
  assert.equal(later.finding_info.uid, first.finding_info.uid);
  assert.equal(later.finding_info.title, first.finding_info.title);
  assert.notEqual(later.metadata.uid, first.metadata.uid);
  assert.equal(later.start_time, first.time);
  assert.equal(later.end_time, first.time + 60_000);
});

test("a later alert whose incident began at an unknown time claims no beginning", () => {
  const finding = toFinding({ ...STOLEN, incidentCount: 2 });
  assert.equal("start_time" in finding, false);
  assert.equal("created_time" in finding.finding_info, false);
  assert.equal(finding.finding_info.modified_time, STOLEN.login.timeMs);
});

test("an incident that counts no alert is a bug, not a finding", () => {
  for (const incidentCount of [0, -1, 1.5, Number.NaN]) {
    assert.throws(() => toFinding({ ...STOLEN, incidentCount }), assert.AssertionError);
  }
  assert.throws(() => toFinding({ ...STOLEN, score: 1.5 }), assert.AssertionError);
  assert.throws(() => toFinding({ ...STOLEN, score: Number.NaN }), assert.AssertionError);
});

test("metadata names the product, the alert and the record it came from", () => {
  const manifest = JSON.parse(readFileSync(new URL("../../package.json", import.meta.url), "utf8"));
  const { metadata } = toFinding(STOLEN);
  assert.deepEqual(metadata, {
    version: "1.8.0",
    product: { name: "oddlink", vendor_name: "oddlink", version: manifest.version },
    profiles: [],
    uid: STOLEN.uid,
    original_event_uid: "logins/3/4711",
    correlation_uid: STOLEN.incidentUid,
  });
  const own = toFinding({ ...STOLEN, origin: { ...STOLEN.origin, originalUid: "record-9" } });
  assert.equal(own.metadata.original_event_uid, "record-9");
  assert.equal(toFinding(withLogin(STOLEN, { uid: "login-9" })).metadata.original_event_uid, "login-9");
});

test("the wall clock appears only where the caller gives it", () => {
  assert.equal("processed_time" in toFinding(STOLEN).metadata, false);
  assert.equal(toFinding({ ...STOLEN, processedTimeMs: 12.5 }).metadata.processed_time, 12);
});

test("the analytic is typed by its signal and only link names its epoch", () => {
  const analytics = (["presence", "surprise", "link", "volume"] as const).map((signal) => {
    const { name, type_id, version } = toFinding({ ...STOLEN, signal }).finding_info.analytic;
    return [name, type_id, version];
  });
  assert.deepEqual(analytics, [
    ["presence", 1, undefined],
    ["surprise", 3, undefined],
    ["link", 4, "7:0123456789ab"],
    ["volume", 3, undefined],
  ]);
  const untrained = toFinding({ ...STOLEN, signal: "link", epoch: null });
  assert.equal("version" in untrained.finding_info.analytic, false);
});

test("the evidence holds who, where and every number behind the alert", () => {
  const [evidence] = toFinding(STOLEN).evidences;
  const alice = { name: "alice@CORP", domain: "CORP" };
  assert.deepEqual(evidence, {
    actor: { user: alice },
    user: alice,
    src_endpoint: { name: "laptop-9", hostname: "laptop-9" },
    dst_endpoint: { name: "files-1", hostname: "files-1" },
    data: {
      detector: "default",
      signal: "presence",
      score: 1e-5,
      threshold: null,
      signals: STOLEN.signals,
      reasons: STOLEN.reasons,
      authType: "NTLM",
      logonType: "Network",
      outcome: "success",
      evidence: "weak",
      userFirstSeenMs: 1_000,
      userLastSeenMs: 150_000_000,
      epoch: STOLEN.epoch,
      origin: { topic: "logins", partition: 3, offset: 4711 },
      learning: null,
    },
  });
});

test("observed stands against usual, reason by reason and then by entity", () => {
  const [analysis] = toFinding(STOLEN).anomaly_analyses;
  assert.deepEqual(
    analysis.analysis_targets.map(({ name }) => name),
    ["alice@CORP", "laptop-9", "files-1"],
  );
  assert.deepEqual(analysis.anomalies[0]?.observations, [{ value: "0" }]);
  assert.deepEqual(
    analysis.baselines?.map(({ observation_parameter, observations }) => [
      observation_parameter,
      observations,
    ]),
    [
      ["strongEvidence", [{ value: "laptop-1 (120)" }]],
      ["sourceHost", [{ value: "laptop-1", count: 120 }]],
    ],
  );
});

test("a score that nothing explains is its own anomaly", () => {
  const [analysis] = toFinding({ ...STOLEN, reasons: [], usual: [] }).anomaly_analyses;
  assert.deepEqual(analysis.anomalies, [
    { observation_parameter: "score", observation_type: "presence", observations: [{ value: "0.00001" }] },
  ]);
  assert.equal("baselines" in analysis, false);
});

/** A copy whose objects list their keys in the opposite order. */
function backwards(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(backwards);
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, member]) => [key, backwards(member)]),
  );
}

/** The member at a path such as `evidences[0].user.name`. */
function at(root: unknown, path: string): unknown {
  let value: unknown = root;
  for (const step of path.split(/[.[\]]+/)) value = (value as Record<string, unknown>)[step];
  return value;
}
