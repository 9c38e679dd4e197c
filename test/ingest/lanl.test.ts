import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { Decoded } from "../../src/ingest/decoded.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { type Login, loginSchema } from "../../src/ingest/login.ts";
import { assertGolden, countsOf, decodeSample } from "./samples.ts";

test("rows of all kinds that the example holds are read as the golden file says", () => {
  const lines = decodeSample("lanl-kinds.txt", "lanl");
  assertGolden("lanl-kinds", lines);
  assert.deepEqual(countsOf(lines), {
    login: 18,
    "ignored log-off": 11,
    evidence: 6,
    "ignored auth-map": 3,
    "ignored failed-request": 3,
  });
});

const options = { lanlStartMs: 0 };

function decode(line: string | Buffer, format: "lanl" | "auto" = "lanl"): Decoded {
  const bytes = Buffer.from(line);
  return createDecoder(format, options).decode(bytes, 0, bytes.length);
}

function loginOf(line: string): Login {
  const decoded = decode(line);
  assert.ok(decoded.kind === "login" || decoded.kind === "evidence", JSON.stringify(decoded));
  return loginSchema.parse(decoded.login.toLogin());
}

test("a LogOn is a login with every field in its place", () => {
  assert.deepEqual(loginOf("151036,U748@DOM1,U749@DOM1,C17693,C305,NTLM,Network,LogOn,Success"), {
    timeMs: 151_036_000,
    user: "U748@DOM1",
    targetUser: "U749@DOM1",
    sourceHost: "C17693",
    targetHost: "C305",
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
    evidence: "weak",
  });
});

test("the configured start of the clock is added to the seconds", () => {
  const bytes = Buffer.from("10,U1@D,U1@D,C1,C2,Kerberos,Network,LogOn,Fail");
  const decoded = createDecoder("lanl", { lanlStartMs: 1_000_000 }).decode(bytes, 0, bytes.length);
  assert.ok(decoded.kind === "login");
  assert.equal(decoded.login.timeMs, 1_010_000);
});

const EVIDENCE: [string, string][] = [
  ["C1,C2,Kerberos,Network,LogOn,Success", "strong"],
  ["C1,C2,Kerberos,Network,LogOn,?", "strong"],
  ["C1,C2,Kerberos,Network,LogOn,Fail", "none"],
  ["C1,C2,NTLM,Network,LogOn,Success", "weak"],
  ["C1,C2,NTLM,Network,LogOn,Fail", "weak"],
  ["C1,C2,MICROSOFT_AUTHENTICATION_PACKAGE_V1_0,Network,LogOn,Success", "weak"],
  ["C1,C1,Negotiate,Interactive,LogOn,Success", "strong"],
  ["C1,C1,Negotiate,Unlock,LogOn,Success", "strong"],
  ["C1,C1,Negotiate,Interactive,LogOn,Fail", "none"],
  ["C1,C2,Negotiate,RemoteInteractive,LogOn,Success", "none"],
  ["C1,C1,Negotiate,Service,LogOn,Success", "none"],
  ["C1,C1,?,?,LogOn,Success", "none"],
];
for (const [rest, evidence] of EVIDENCE) {
  test(`${rest} is ${evidence} evidence`, () => {
    assert.equal(loginOf(`1,U1@D,U1@D,${rest}`).evidence, evidence);
  });
}

test("every way LANL cuts off the name of the MSV1_0 package means the same package", () => {
  const full = "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0";
  for (const name of ["MICROSOFT_AUTHENTICATION_PACKA", "MICROSOFT_AUTHENTICATION_PACKAGE_V1_", full]) {
    assert.equal(loginOf(`1,U1@D,U1@D,C1,C2,${name},Network,LogOn,Success`).authType, full);
  }
});

test("ticket requests and screen unlocks are strong evidence on the source host, without a target", () => {
  for (const [target, orientation, evidence] of [
    ["TGT", "TGS", "ticket"],
    ["U748", "TGS", "ticket"],
    ["C1", "TGT", "ticket"],
    ["C1", "ScreenUnlock", "strong"],
  ]) {
    const decoded = decode(`1,U1@D,U1@D,C1,${target},?,?,${orientation},Success`);
    assert.equal(decoded.kind, "evidence");
    const login = loginOf(`1,U1@D,U1@D,C1,${target},?,?,${orientation},Success`);
    assert.equal(login.evidence, evidence);
    assert.equal(login.sourceHost, "C1");
    assert.equal(login.targetHost, "");
  }
});

test("what is neither login nor evidence is ignored with its reason", () => {
  for (const [rest, reason] of [
    ["C1,C1,?,Network,LogOff,Success", "log-off"],
    ["C1,C1,?,?,AuthMap,Success", "auth-map"],
    ["C1,C1,?,?,ScreenLock,Success", "screen-lock"],
    ["C1,C1,?,?,TGT,Fail", "failed-request"],
  ]) {
    assert.deepEqual(decode(`1,U1@D,U1@D,${rest}`), { kind: "ignored", reason });
  }
});

test("an absent account is taken from the other column", () => {
  assert.equal(loginOf("1,U1@D,?,C1,C2,NTLM,Network,LogOn,?").targetUser, "U1@D");
  assert.equal(loginOf("1,?,U1@D,C1,C2,NTLM,Network,LogOn,?").user, "U1@D");
});

test("names may hold blanks", () => {
  assert.equal(
    loginOf("1,ANONYMOUS LOGON@C5,ANONYMOUS LOGON@C5,C1,C2,NTLM,Network,LogOn,Success").user,
    "ANONYMOUS LOGON@C5",
  );
});

const REJECTED: [string, string][] = [
  ["1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn", "wrong-column-count"],
  ["1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success,x", "wrong-column-count"],
  ["", "wrong-column-count"],
  ["x,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success", "invalid-time"],
  ["-1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success", "invalid-time"],
  ["1.5,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success", "invalid-time"],
  ["9999999999999,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success", "invalid-time"],
  ["1,?,?,C1,C2,NTLM,Network,LogOn,Success", "no-user"],
  ["1,U1@D,U1@D,C1,?,NTLM,Network,LogOn,Success", "no-target-host"],
  ["1,U1@D,U1@D,C1,C2,NTLM,Network,Jump,Success", "unknown-orientation"],
  ["1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Maybe", "unknown-outcome"],
  [`1,${"x".repeat(300)},U1@D,C1,C2,NTLM,Network,LogOn,Success`, "name-too-long"],
];
for (const [line, reason] of REJECTED) {
  test(`"${line.slice(0, 60)}" is rejected as ${reason}`, () => {
    const decoded = decode(line);
    assert.equal(decoded.kind === "rejected" && decoded.reason, reason);
  });
}

test("auto recognises LANL rows and JSON lines in one stream, and says what is wrong with a broken neighbour", () => {
  const decoder = createDecoder("auto", options);
  const kindOf = (line: string) => {
    const bytes = Buffer.from(line);
    const decoded = decoder.decode(bytes, 0, bytes.length);
    return decoded.kind === "rejected" ? decoded.reason : decoded.kind;
  };
  assert.equal(kindOf("hello"), "unknown-format");
  assert.equal(kindOf("1,U1@D,U1@D,C1,C2,NTLM,Network,LogOn,Success"), "login");
  assert.equal(kindOf('{"timeMs":5,"user":"a","sourceHost":"b","targetHost":"c"}'), "login");
  assert.equal(kindOf("1,U1@D,U1@D,C1,C2,NTLM,Network,LogOff,Success"), "ignored");
  assert.equal(kindOf("1,U1@D,U1@D,C1,C2"), "wrong-column-count");
});
