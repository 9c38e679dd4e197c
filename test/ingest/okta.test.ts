import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("Okta's System Log is read as the golden file says, each record", () => {
  const lines = decodeSample("panther-okta.jsonl", "okta");
  assertGolden("panther-okta", lines);
  assert.deepEqual(countsOf(lines), {
    "ignored not-a-login": 26,
    login: 7,
    evidence: 1,
    "rejected invalid-time": 2,
  });
});

const EVENT = {
  uuid: "e1",
  published: "2026-03-01T10:00:00.123Z",
  eventType: "user.session.start",
  legacyEventType: "core.user_auth.login_success",
  actor: { id: "00u1", type: "User", alternateId: "Ann@Corp.Example", displayName: "Ann" },
  client: { ipAddress: "203.0.113.7", zone: "null" },
  outcome: { result: "SUCCESS" },
  authenticationContext: { credentialType: "PASSWORD" },
  target: [],
};
const MFA = "user.authentication.auth_via_mfa";

function decodedEvent(event: object): string {
  const bytes = Buffer.from(JSON.stringify(event));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const decoded = (changes: object = {}) => decodedEvent({ ...EVENT, ...changes });

test("a session is a login onto Okta, whose evidence is none", () => {
  assert.equal(
    decoded(),
    `login ${JSON.stringify({
      timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
      user: "ann@corp.example",
      targetUser: "ann@corp.example",
      sourceHost: "203.0.113.7",
      targetHost: "okta",
      authType: "PASSWORD",
      logonType: "user.session.start",
      outcome: "success",
      evidence: "none",
      uid: "e1",
    })}`,
  );
});

test("single sign-on is a login onto the application, not onto who uses it", () => {
  const sso = decoded({
    eventType: "user.authentication.sso",
    target: [
      null,
      { type: "AppUser", alternateId: "ann", displayName: "Ann" },
      { type: "AppInstance", alternateId: "payroll-7", displayName: "Payroll Prod" },
    ],
    debugContext: { debugData: { signOnMode: "SAML 2.0" } },
  });
  assert.match(sso, /"user":"ann@corp.example","targetUser":"ann@corp.example"/);
  assert.match(sso, /"targetHost":"payroll prod","authType":"SAML 2.0"/);
});

test("a second factor is strong evidence once it is passed, a failed login if it is not; a password is none", () => {
  const mfa = (result: string, factor?: string) =>
    decoded({ eventType: MFA, outcome: { result }, debugContext: { debugData: { factor } } });
  assert.match(
    mfa("SUCCESS", "OKTA_VERIFY_PUSH"),
    /^evidence .*"sourceHost":"203.0.113.7".*"evidence":"strong"/,
  );
  assert.match(mfa("FAILURE", "OKTA_VERIFY_PUSH"), /^login .*"outcome":"failure","evidence":"none"/);
  assert.match(mfa("DENY", "OKTA_VERIFY_PUSH"), /^login .*"outcome":"failure"/);
  assert.equal(mfa("CHALLENGE", "OKTA_VERIFY_PUSH"), "ignored not-a-login");
  assert.equal(mfa("SUCCESS", "PASSWORD_AS_FACTOR"), "ignored credential-check");
  assert.match(mfa("FAILURE", "PASSWORD_AS_FACTOR"), /^login .*"outcome":"failure"/);
  assert.equal(mfa("SUCCESS"), "ignored credential-check", "the type of credential says that it is one");
});

test("a managed device is the source, and strong evidence", () => {
  assert.match(decoded({ device: { id: "GUO1", managed: true } }), /"sourceHost":"guo1".*"strong"/);
  assert.match(decoded({ device: { id: "guo1", managed: false } }), /"sourceHost":"guo1".*"none"/);
  const sso = { eventType: "user.authentication.sso", device: { id: "guo1", managed: true } };
  assert.match(decoded(sso), /"sourceHost":"guo1".*"none"/);
  assert.match(decoded({ device: { name: "Evil Computer" } }), /"sourceHost":"203.0.113.7".*"none"/);
});

test("a challenge is neither success nor failure", () => {
  const outcome = (result: unknown) => /"outcome":"(\w+)"/.exec(decoded({ outcome: { result } }))?.[1];
  assert.equal(outcome("ALLOW"), "success");
  assert.equal(outcome("DENY"), "failure");
  assert.equal(outcome("CHALLENGE"), "unknown");
  assert.equal(outcome("constructor"), "unknown");
  assert.equal(outcome(7), "unknown");
});

test("keys may be small, which is all the same", () => {
  const small = Object.fromEntries(Object.entries(EVENT).map(([key, value]) => [key.toLowerCase(), value]));
  assert.equal(decodedEvent(small), decoded());
});

test("what is no login of a person is ignored, and what can't be read rejected", () => {
  const actor = (changes: object) => decoded({ actor: { ...EVENT.actor, ...changes } });
  assert.equal(actor({ type: "PublicClientApp" }), "ignored not-a-login");
  assert.equal(actor({ type: "IP address" }), "ignored not-a-login");
  assert.equal(actor({ alternateId: "unknown" }), "ignored not-a-login");
  assert.match(actor({ alternateId: null }), /"user":"00u1"/);
  assert.match(decoded({ actor: undefined }), /^rejected no-user/);
  assert.match(decoded({ published: "redacted" }), /^rejected invalid-time/);
  assert.match(decoded({ eventType: 7.5 }), /^ignored not-a-login/);
  assert.match(decoded({ eventType: [] }), /^rejected unknown-event/);
  assert.equal(decoded({ eventType: "user.session.end" }), "ignored log-off");
  assert.equal(decoded({ eventType: "policy.evaluate_sign_on" }), "ignored not-a-login");
  assert.equal(decoded({ eventType: "app.oauth2.authorize.code" }), "ignored not-a-login");
});
