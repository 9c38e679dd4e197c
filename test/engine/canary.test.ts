import assert from "node:assert/strict";
import { test } from "node:test";
import { oddLogin, usualLogins } from "../../src/canary/canary-logins.ts";
import { loadConfig } from "../../src/config/load.ts";
import { canaryAlert, readCanary } from "../../src/engine/canary.ts";
import { Scoring } from "../../src/engine/scoring.ts";
import { digestOf } from "../../src/graph-state/digest.ts";
import { violations } from "../alerts/ocsf-schema.ts";
import { loginBytes } from "../graph-state/logins.ts";
import { ordinary, START_MS } from "./office.ts";

const ORIGIN = { topic: "logins", partition: 0, offset: 7 };
const config = loadConfig({ environment: {}, flags: { "training.mode": "off" } });
const ODD = String(oddLogin("logins", 0, "id").value);

/** A graph of an office at work, years ago. */
function office(): Scoring {
  const scoring = new Scoring(config, () => true);
  let offset = 0;
  for (const added of ordinary(START_MS + 12 * 3_600_000)) {
    const bytes = loginBytes(added);
    scoring.advance(added.timeMs);
    scoring.score(bytes, 0);
    scoring.add(bytes, 0, offset++);
  }
  return scoring;
}

function learnUsual(scoring: Scoring): void {
  const { watermarkMs } = scoring.graph.window;
  for (const { value } of usualLogins("logins", 0, config.presence)) {
    const decoded = readCanary("usual", String(value), watermarkMs);
    assert.ok(decoded.kind === "evidence");
    assert.ok(decoded.login.timeMs <= watermarkMs, "time does not move");
    scoring.addEvidence(decoded.login);
  }
}

function alertOf(scoring: Scoring) {
  const canary = readCanary("id", ODD, scoring.graph.window.watermarkMs);
  assert.ok(canary.kind === "canary");
  return canaryAlert(scoring, config, canary, ORIGIN);
}

test("a canary's odd login alerts once what is usual of its account is known, each time, and changes nothing", () => {
  const scoring = office();
  const { watermarkMs } = scoring.graph.window;
  assert.equal(alertOf(scoring), undefined, "of an account that nobody knows nothing is said");
  learnUsual(scoring);
  const before = digestOf(scoring.graph);
  for (let times = 0; times < 3; times++) {
    const alert = alertOf(scoring)!;
    const finding = JSON.parse(alert.finding);
    assert.deepEqual(violations(finding), []);
    assert.equal(finding.finding_info.analytic.name, "presence");
    assert.deepEqual(finding.metadata.labels, ["test"]);
    assert.equal(finding.status_id, 3);
    assert.equal(alert.suppressedBy, "canary");
    assert.equal(alert.canary, "id");
    assert.equal(alert.timeMs, watermarkMs, "it takes place when the stream is");
  }
  assert.equal(digestOf(scoring.graph), before);
});

test("before the first login a canary is ignored, and what is no canary's record is a dead letter", () => {
  const scoring = new Scoring(config, () => true);
  const { watermarkMs } = scoring.graph.window;
  assert.deepEqual(readCanary("id", ODD, watermarkMs), { kind: "ignored", reason: "canary" });
  for (const text of ["", "{", "null", '{"ageMs":0}', '{"ageMs":-1,"login":{"user":"a"}}', "[]", '"x"']) {
    const decoded = readCanary("id", text, START_MS);
    assert.equal(decoded.kind, "rejected", text);
  }
});
