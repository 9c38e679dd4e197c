import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../src/alerts/finding.ts";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { asShadow } from "../../src/alerts/shadow.ts";
import { violations } from "./ocsf-schema.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

const RUNS = 10_000;

test("any odd login makes a finding that the published OCSF schema accepts", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      seen.add(odd.signal);
      assert.deepEqual(violations(toFinding(odd)), []);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual([...seen].sort(), [...SIGNALS].sort());
});

test("a finding of an epoch in the shadow is valid, and no alert", () => {
  const finding = asShadow(toFinding(STOLEN));
  assert.deepEqual(violations(finding), []);
  assert.equal(finding.is_alert, false);
});

test("a login that names nothing still makes a valid finding", () => {
  const nameless = { user: "", targetUser: "", sourceHost: "", targetHost: "", authType: "", logonType: "" };
  for (const signal of SIGNALS) {
    const odd = { ...withLogin(STOLEN, nameless), signal, reasons: [], usual: [], signals: {}, epoch: null };
    const finding = toFinding(odd);
    assert.deepEqual(violations(finding), []);
    assert.deepEqual(Object.keys(finding.evidences[0]), ["data"]);
    assert.deepEqual(finding.observables, []);
  }
});

test("the schema refuses findings that are broken in the ways OCSF is easily broken", () => {
  const finding = toFinding(STOLEN);
  const [evidence] = finding.evidences;
  const broken: Record<string, unknown> = {
    "time as text": { ...finding, time: new Date(finding.time).toISOString() },
    "time with a fraction": { ...finding, time: finding.time + 0.5 },
    "a probability as risk score": { ...finding, risk_score: 1e-5 },
    "a field of the incident profile": { ...finding, verdict_id: 2 },
    "an actor at the top": { ...finding, actor: evidence.actor },
    "an unknown activity": { ...finding, activity_id: 7 },
    "no finding uid": { ...finding, finding_info: { ...finding.finding_info, uid: undefined } },
    "an analytic without type": {
      ...finding,
      finding_info: { ...finding.finding_info, analytic: { name: "presence" } },
    },
    "evidence with nothing but a name": { ...finding, evidences: [{ name: "login" }] },
    "a user without a name": { ...finding, evidences: [{ ...evidence, user: { domain: "CORP" } }] },
    "an endpoint without a name": { ...finding, evidences: [{ ...evidence, src_endpoint: {} }] },
    "a host name as address": { ...finding, evidences: [{ ...evidence, src_endpoint: { ip: "laptop-9" } }] },
    "a number as observed value": {
      ...finding,
      anomaly_analyses: [
        {
          analysis_targets: [{ name: "x" }],
          anomalies: [{ observation_parameter: "score", observations: [{ value: 0.1 }] }],
        },
      ],
    },
    "remediation without text": { ...finding, remediation: {} },
  };
  assert.deepEqual(violations(finding), []);
  for (const [what, bad] of Object.entries(broken)) assert.notDeepEqual(violations(bad), [], what);
});
