import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("sign-ins of Log Analytics are read as the golden file says, each record", () => {
  const lines = decodeSample("msticpy-entra.jsonl", "entra");
  assertGolden("msticpy-entra", lines);
  assert.deepEqual(countsOf(lines), { login: 86 });
});

test("those of the diagnostic stream too, whose keys are in letters of any case", () => {
  const lines = decodeSample("panther-entra.jsonl", "entra");
  assertGolden("panther-entra", lines);
  assert.deepEqual(countsOf(lines), { "ignored not-a-login": 18, login: 17 });
});

const PROPERTIES = {
  id: "s1",
  createdDateTime: "2026-03-01T10:00:00.1234567Z",
  userPrincipalName: "Ann@Corp.Example",
  userId: "u1",
  appDisplayName: "Payroll",
  resourceDisplayName: "Microsoft Graph",
  ipAddress: "::ffff:203.0.113.7",
  isInteractive: true,
  authenticationProtocol: "none",
  clientAppUsed: "Browser",
  status: { errorCode: 0 },
};

function decoded(properties: object = {}, record: object = {}): string {
  const bytes = Buffer.from(
    JSON.stringify({
      time: "2026-03-01T10:02:00Z",
      operationName: "Sign-in activity",
      operationVersion: "1.0",
      category: "SignInLogs",
      callerIpAddress: "203.0.113.8",
      properties: { ...PROPERTIES, ...properties },
      ...record,
    }),
  );
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const evidence = (properties: object, record: object = {}) =>
  /"evidence":"([^"]*)"/.exec(decoded(properties, record))?.[1];
const outcome = (properties: object, record: object = {}) =>
  /"outcome":"([^"]*)"/.exec(decoded(properties, record))?.[1];

test("a sign-in is a login from the address onto the application, at the time when it was made", () => {
  assert.equal(
    decoded(),
    `login ${JSON.stringify({
      timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
      user: "ann@corp.example",
      targetUser: "ann@corp.example",
      sourceHost: "203.0.113.7",
      targetHost: "payroll",
      authType: "Browser",
      logonType: "interactiveUser",
      outcome: "success",
      evidence: "none",
      uid: "s1",
    })}`,
  );
});

test("a second factor that was passed in the sign-in is strong evidence, an earlier one in a token none", () => {
  const password = {
    authenticationMethod: "Password",
    authenticationStepRequirement: "Primary authentication",
    succeeded: true,
  };
  const app = {
    authenticationMethod: "Mobile app notification",
    authenticationStepRequirement: "Multifactor authentication",
    succeeded: true,
  };
  const earlier = {
    authenticationMethod: "Previously satisfied",
    authenticationStepRequirement: "Multifactor authentication",
    authenticationStepResultDetail: "MFA requirement satisfied by claim in the token",
    succeeded: true,
  };
  const steps = (...authenticationDetails: object[]) => ({ authenticationDetails });
  assert.equal(evidence(steps(password, app)), "strong");
  assert.equal(evidence({ authenticationDetails: JSON.stringify([password, app]) }), "strong");
  assert.equal(
    evidence(steps({ ...app, authenticationStepRequirement: "MultiConditionalAccess" })),
    "strong",
  );
  assert.equal(
    evidence(steps({ ...password, authenticationMethod: "Windows Hello for Business" })),
    "strong",
  );
  assert.equal(evidence(steps(password)), "none");
  assert.equal(evidence(steps(password, { ...app, succeeded: false })), "none");
  assert.equal(evidence(steps(password, earlier)), "none");
  const claimed = {
    ...app,
    authenticationMethod: "Claim in access token",
    authenticationStepRequirement: "MFA",
  };
  assert.equal(evidence(steps(password, claimed)), "none");
  assert.equal(evidence(steps({ ...password, authenticationMethod: "FIDO2" }, claimed)), "strong");
  assert.equal(evidence({ mfaDetail: { authMethod: "Authenticator app" } }), "strong");
  const status = (additionalDetails: string) => ({ status: { errorCode: 0, additionalDetails } });
  assert.equal(evidence(status("MFA completed in Azure AD")), "strong");
  assert.equal(evidence(status("MFA requirement satisfied by strong authentication")), "strong");
  assert.equal(evidence(status("MFA requirement skipped due to remembered device")), "none");
  assert.equal(evidence(status("MFA requirement satisfied by claim in the token")), "none");
  assert.equal(evidence({ ...steps(password, app), status: { errorCode: 500121 } }), "none");
  assert.equal(evidence({ ...steps(password, app), isInteractive: false }), "none");
});

test("a device that the tenant manages is the source, and strong evidence; what a device says of itself is not", () => {
  const managed = { deviceDetail: { deviceId: "D1", isManaged: true } };
  assert.match(decoded(managed), /"sourceHost":"d1".*"evidence":"strong"/);
  assert.match(decoded({ deviceDetail: JSON.stringify(managed.deviceDetail) }), /"evidence":"strong"/);
  assert.match(
    decoded({ deviceDetail: { deviceId: "d1", isCompliant: false } }),
    /"sourceHost":"d1".*"none"/,
  );
  assert.match(
    decoded({ deviceDetail: { deviceId: "", isManaged: true } }),
    /"sourceHost":"203.0.113.7".*"none"/,
  );
});

test("legacy clients and the password grant are weak, whether anybody sits there or not", () => {
  assert.equal(evidence({ clientAppUsed: "Authenticated SMTP" }), "weak");
  assert.equal(evidence({ clientAppUsed: "Other clients; IMAP" }), "weak");
  assert.equal(evidence({ authenticationProtocol: "ropc", isInteractive: false }), "weak");
  assert.equal(evidence({ userAgent: "BAV2ROPC" }), "weak");
  assert.equal(evidence({ clientAppUsed: "Mobile Apps and Desktop clients" }), "none");
});

test("renewals of tokens are logins without evidence, service principals logins of the application", () => {
  const renewal = decoded({ isInteractive: undefined }, { category: "NonInteractiveUserSignInLogs" });
  assert.match(
    renewal,
    /^login .*"user":"ann@corp.example".*"logonType":"nonInteractiveUser".*"evidence":"none"/,
  );
  const principal = decoded(
    { userPrincipalName: undefined, userId: "", appId: "A1", servicePrincipalName: "Backup" },
    { category: "ServicePrincipalSignInLogs" },
  );
  assert.match(principal, /^login .*"user":"a1".*"targetHost":"microsoft graph".*"servicePrincipal"/);
  assert.equal(decoded({}, { category: "ManagedIdentitySignInLogs" }), "ignored not-a-login");
  assert.equal(decoded({}, { category: "AuditLogs" }), "ignored not-a-login");
});

test("the code of the status says what came of it, and an interruption is no failure", () => {
  assert.equal(outcome({ status: { errorCode: 50126 } }), "failure");
  assert.equal(outcome({ status: { errorCode: 50076 } }), "unknown");
  assert.equal(outcome({ status: '{"errorCode":50126}' }), "failure");
  assert.equal(outcome({ status: {} }, { resultType: "0" }), "success");
  assert.equal(outcome({ status: null }, { resultType: 0 }), "success");
  assert.equal(outcome({ status: "broken {" }, { resultType: "Failure" }), "failure");
  assert.equal(outcome({ status: undefined }, { resultSignature: "SUCCESS" }), "success");
  assert.equal(outcome({ status: undefined }, { resultSignature: "None" }), "unknown");
});

test("what is missing is looked for elsewhere, or the record rejected", () => {
  assert.match(
    decoded({ ipAddress: "", createdDateTime: null }),
    /"timeMs":1772359320000.*"sourceHost":"203.0.113.8"/,
  );
  assert.match(decoded({ appDisplayName: "", resourceDisplayName: true }), /"targetHost":"entra id"/);
  assert.match(decoded({ appDisplayName: "", resourceDisplayName: [] }), /"targetHost":"entra id"/);
  assert.match(decoded({ userPrincipalName: "", userId: {} }), /^rejected no-user/);
  assert.match(decoded({ createdDateTime: "soon" }), /^rejected invalid-time/);
  assert.match(decoded({}, { records: [{}] }), /^rejected unknown-format: a list of records/);
});

test("sign-ins of Microsoft Graph have no category, and are read by what they say of themselves", () => {
  const record = {
    id: "e9",
    createdDateTime: "2026-11-20T10:00:00Z",
    userPrincipalName: "Ann@contoso.com",
    appDisplayName: "Office",
    ipAddress: "198.51.100.7",
    clientAppUsed: "Browser",
    conditionalAccessStatus: "success",
    isInteractive: true,
    status: { errorCode: 0, failureReason: "Other." },
  };
  const text = (changes: object): string => {
    const bytes = Buffer.from(JSON.stringify({ ...record, ...changes }));
    return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
  };
  assert.match(text({}), /^login .*"user":"ann@contoso.com".*"targetHost":"office".*"outcome":"success"/);
  assert.match(text({ status: { errorCode: 50126 } }), /"outcome":"failure"/);
  assert.match(text({ signInEventTypes: ["nonInteractiveUser"] }), /"logonType":"nonInteractiveUser"/);
  assert.match(
    text({ signInEventTypes: ["servicePrincipal"], appId: "a-1" }),
    /"user":"a-1".*"logonType":"servicePrincipal"/,
  );
  assert.equal(text({ signInEventTypes: ["managedIdentity"] }), "ignored not-a-login");
});
