import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("flattened activities are read as the golden file says, each record", () => {
  const lines = decodeSample("google-activities.jsonl", "google");
  assertGolden("google-activities", lines);
  assert.deepEqual(countsOf(lines), {
    "ignored not-a-login": 65,
    "ignored log-off": 1,
    "rejected invalid-time": 2,
    login: 1,
  });
});

// Written by hand after the published shape of the API.
const EVENT = {
  type: "login",
  name: "login_success",
  parameters: [
    { name: "login_type", value: "google_password" },
    { name: "login_challenge_method", multiValue: ["password", "google_prompt"] },
    { name: "is_suspicious", boolValue: false },
  ],
};
const ACTIVITY = {
  kind: "admin#reports#activity",
  id: {
    time: "2026-03-01T10:00:00.123Z",
    uniqueQualifier: "-358068855354",
    applicationName: "login",
    customerId: "C03az79cb",
  },
  actor: { callerType: "USER", email: "Ann@Corp.example", profileId: "117200475532672775229" },
  ipAddress: "2001:db8::7",
  events: [EVENT],
};

function decoded(changes: object = {}): string {
  const bytes = Buffer.from(JSON.stringify({ ...ACTIVITY, ...changes }));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const EXPECTED = {
  timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
  user: "ann@corp.example",
  targetUser: "ann@corp.example",
  sourceHost: "2001:db8::7",
  targetHost: "google",
  authType: "google_password",
  logonType: "",
  outcome: "success",
  evidence: "strong",
  uid: "login/1772359200123/-358068855354",
};

test("an activity of the API is the login that it is flattened", () => {
  const expected = `login ${JSON.stringify(EXPECTED)}`;
  assert.equal(decoded(), expected);
  const flattened = {
    events: undefined,
    id: { ...ACTIVITY.id, time: "2026-03-01 10:00:00.123000000" },
    type: EVENT.type,
    name: EVENT.name,
    parameters: {
      login_type: "google_password",
      login_challenge_method: ["password", "google_prompt"],
      is_suspicious: false,
    },
  };
  assert.equal(decoded(flattened), expected);
});

test("of several events the first login is read", () => {
  const challenge = { type: "login", name: "login_challenge", parameters: [] };
  const warning = { type: "account_warning", name: "login_success" };
  const failure = { type: "login", name: "login_failure", parameters: [{ name: "login_type" }] };
  const logout = { type: "login", name: "logout" };
  const expected = { ...EXPECTED, authType: "", outcome: "failure", evidence: "none" };
  assert.equal(
    decoded({ events: [null, challenge, warning, failure, EVENT] }),
    `login ${JSON.stringify(expected)}`,
  );
  assert.equal(decoded({ events: [challenge, logout] }), "ignored log-off");
  assert.equal(decoded({ events: [challenge, warning] }), "ignored not-a-login");
  assert.equal(decoded({ events: [] }), "ignored not-a-login");
});

test("a login to an application lands there", () => {
  const application = { name: "application_name", value: "Payroll Portal" };
  const login = decoded({
    id: { ...ACTIVITY.id, applicationName: "saml" },
    events: [{ ...EVENT, parameters: [application] }],
  });
  assert.match(login, /"targetHost":"payroll portal","authType":"saml".*"evidence":"none","uid":"saml\//);
});

test("only a device of the user's is strong evidence", () => {
  const evidence = (challenge: object, name = "login_success") => {
    const parameters = [{ name: "login_challenge_method", ...challenge }];
    return /"evidence":"(\w+)"/.exec(decoded({ events: [{ ...EVENT, name, parameters }] }))?.[1];
  };
  assert.equal(evidence({ value: "security_key" }), "strong");
  assert.equal(evidence({ multiValue: ["security_key"] }, "login_failure"), "none");
  assert.equal(evidence({ multiValue: ["password", "backup_code"] }), "none");
  assert.equal(evidence({ multiValue: ["none", null, {}] }), "none");
  assert.equal(evidence({ boolValue: true }), "none");
});

test("a record without an actor, a time or a qualifier is read for what it is", () => {
  const affected = [{ name: "affected_email_address", value: "Bob@corp.example" }];
  assert.match(
    decoded({ actor: undefined, events: [{ ...EVENT, parameters: affected }] }),
    /"user":"bob@corp.example"/,
  );
  assert.match(decoded({ actor: {} }), /^rejected no-user/);
  assert.match(decoded({ id: { applicationName: "login" } }), /^rejected invalid-time/);
  assert.doesNotMatch(decoded({ id: { ...ACTIVITY.id, uniqueQualifier: undefined } }), /"uid"/);
  assert.equal(decoded({ id: { ...ACTIVITY.id, applicationName: "drive" } }), "ignored not-a-login");
});
