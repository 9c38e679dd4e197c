import assert from "node:assert/strict";
import { test } from "node:test";
import ecs from "@elastic/ecs";
import fc from "fast-check";
import { ECS_VERSION, toEcsSignal } from "../../src/alerts/ecs-signal.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { asShadow } from "../../src/alerts/shadow.ts";
import { ecsViolations } from "./ecs-fields.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

const RUNS = 10_000;

test("any odd login makes a signal whose fields are all on the published list of ECS, of the types that it says", () => {
  const seen = new Set<string>();
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      seen.add(odd.signal);
      const signal = toEcsSignal(toFinding(odd));
      assert.deepEqual(ecsViolations(signal), []);
      // The same again when it went through JSON: nothing in it is undefined.
      assert.deepEqual(JSON.parse(JSON.stringify(signal)), signal);
    }),
    { numRuns: RUNS },
  );
  assert.deepEqual([...seen].sort(), [...SIGNALS].sort());
  assert.equal(ecs.EcsVersion, ECS_VERSION);
});

test("a signal says who, from where, to where, why, and to which incident it belongs", () => {
  const odd = withLogin(STOLEN, { sourceHost: "10.0.0.7", targetUser: "root@DB1" });
  const signal = toEcsSignal(toFinding(odd));
  assert.equal(signal["@timestamp"], new Date(odd.login.timeMs).toISOString());
  assert.deepEqual(signal.user, {
    name: "alice@CORP",
    domain: "CORP",
    target: { name: "root@DB1", domain: "DB1" },
  });
  assert.deepEqual(signal.source, { address: "10.0.0.7", ip: "10.0.0.7" });
  assert.deepEqual(signal.destination, { address: "files-1", domain: "files-1" });
  assert.deepEqual(signal.related, {
    user: ["alice@CORP", "root@DB1"],
    hosts: ["files-1"],
    ip: ["10.0.0.7"],
  });
  assert.equal(signal.rule.name, "oddlink presence");
  assert.equal(signal.labels["incident"], odd.incidentUid);
  assert.equal(signal.labels["score"], "0.00001");
  assert.equal(signal.event.id, odd.uid);
  assert.deepEqual(signal.threat.technique.subtechnique, { id: ["T1550.002"], name: ["Pass the Hash"] });
});

test("what an epoch in the shadow would have raised is tagged", () => {
  assert.deepEqual(toEcsSignal(asShadow(toFinding(STOLEN))).tags, ["oddlink", "shadow"]);
});

test("the list of fields refuses what it does not have, and values of other types", () => {
  const signal = toEcsSignal(toFinding(STOLEN));
  assert.deepEqual(ecsViolations(signal), []);
  for (const [what, bad] of Object.entries({
    "a field of nobody's": { ...signal, authentication: { type: "NTLM" } },
    "a name as address": { ...signal, source: { ip: "laptop-9" } },
    "a text where a list is": { ...signal, event: { ...signal.event, category: "authentication" } },
    "an unknown category": { ...signal, event: { ...signal.event, category: ["logins"] } },
    "a label that is no text": { ...signal, labels: { score: 1 } },
    "a time as a number": { ...signal, "@timestamp": 1 },
  }))
    assert.notDeepEqual(ecsViolations(bad), [], what);
});
