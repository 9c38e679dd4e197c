import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("records made by hand are read as the golden file says, each record", () => {
  const lines = decodeSample("ocsf-by-hand.jsonl", "ocsf");
  assertGolden("ocsf-by-hand", lines);
  assert.deepEqual(countsOf(lines), {
    login: 6,
    evidence: 1,
    "ignored not-a-login": 3,
    "ignored log-off": 1,
    "ignored failed-request": 1,
    "rejected invalid-time": 2,
    "rejected invalid-login": 1,
    "rejected no-user": 1,
    "rejected no-target-host": 1,
  });
});

// Written by hand after the published schema, as the sample is.
const RECORD = {
  class_uid: 3002,
  activity_id: 1,
  time: 1772359200123,
  status_id: 1,
  auth_protocol_id: 1,
  logon_type_id: 3,
  user: { name: "Ann", domain: "CORP" },
  src_endpoint: { ip: "10.0.0.7" },
  dst_endpoint: { hostname: "DB1.corp.example", ip: "10.0.0.9" },
  metadata: { uid: "e1", version: "1.8.0" },
};

function decoded(changes: object = {}): string {
  const bytes = Buffer.from(JSON.stringify({ ...RECORD, ...changes }));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

test("a logon of OCSF is a login", () => {
  const expected = {
    timeMs: 1772359200123,
    user: "ann@corp",
    targetUser: "ann@corp",
    sourceHost: "10.0.0.7",
    targetHost: "db1",
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
    evidence: "weak",
    uid: "e1",
  };
  assert.equal(decoded(), `login ${JSON.stringify(expected)}`);
});

test("the actor acts, the user is logged in, on a service if no host is named", () => {
  const web = decoded({
    actor: { user: { email_addr: "Admin@corp.example" } },
    dst_endpoint: undefined,
    service: { name: "Portal" },
    auth_protocol_id: 99,
    auth_protocol: "webauthn",
    is_mfa: true,
  });
  assert.match(web, /"user":"admin@corp.example","targetUser":"ann@corp"/);
  assert.match(web, /"targetHost":"portal","authType":"webauthn"/);
  assert.match(web, /"evidence":"strong"/);
  assert.match(
    decoded({ is_mfa: true, status_id: 2, auth_protocol_id: 2 }),
    /"outcome":"failure","evidence":"none"/,
  );
});

test("tickets are evidence, what is no login is ignored, and a time in seconds rejected", () => {
  assert.match(decoded({ activity_id: 3 }), /^evidence .*"evidence":"ticket"/);
  assert.equal(decoded({ activity_id: 4, status_id: 2 }), "ignored failed-request");
  assert.equal(decoded({ activity_id: 2 }), "ignored log-off");
  assert.equal(decoded({ activity_id: 5 }), "ignored not-a-login");
  assert.equal(decoded({ class_uid: 3001 }), "ignored not-a-login");
  assert.match(decoded({ time: 1772359200 }), /^rejected invalid-time/);
  assert.match(decoded({ time: "2026-03-01" }), /^rejected invalid-time/);
  assert.match(decoded({ user: null }), /^rejected no-user/);
  assert.match(decoded({ auth_protocol_id: "constructor", logon_type_id: "toString" }), /^login /);
});
