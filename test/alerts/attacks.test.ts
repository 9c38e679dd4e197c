import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { suggestedAttacks } from "../../src/alerts/attacks.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import type { OddLogin } from "../../src/alerts/odd-login.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

function ids(odd: OddLogin): string[] {
  return suggestedAttacks(odd).map(({ technique, sub_technique }) => (sub_technique ?? technique).uid);
}

test("a weak login without presence suggests a valid account and passed material", () => {
  assert.deepEqual(ids(STOLEN), ["T1078", "T1550.002"]);
  const package1 = "MICROSOFT_AUTHENTICATION_PACKAGE_V1_0";
  assert.deepEqual(ids(withLogin(STOLEN, { authType: package1 })), ["T1078", "T1550.002"]);
  assert.deepEqual(ids(withLogin(STOLEN, { authType: "Kerberos" })), ["T1078", "T1550.003"]);
  assert.deepEqual(ids(withLogin(STOLEN, { authType: "Negotiate" })), ["T1078"]);
});

test("only presence says that NTLM is unusual for the account", () => {
  assert.equal(ids({ ...STOLEN, signal: "surprise" }).includes("T1550.002"), false);
});

test("remote desktop is suggested by name and by number, but not on one host alone", () => {
  for (const logonType of ["RemoteInteractive", "10", "remote interactive", "CachedRemoteInteractive"]) {
    assert(ids(withLogin(STOLEN, { logonType })).includes("T1021.001"), logonType);
  }
  const local = withLogin(STOLEN, { logonType: "10", targetHost: STOLEN.login.sourceHost });
  assert.equal(ids(local).includes("T1021.001"), false);
});

test("an odd network link suggests remote services", () => {
  assert.deepEqual(ids({ ...STOLEN, signal: "link" }), ["T1078", "T1021"]);
  assert.deepEqual(ids({ ...STOLEN, signal: "surprise" }), ["T1078", "T1021"]);
  assert.deepEqual(ids({ ...STOLEN, signal: "volume" }), ["T1078"]);
});

test("a failed login is no valid account, and failures before a login suggest guessing", () => {
  assert.deepEqual(ids({ ...withLogin(STOLEN, { outcome: "failure" }), signal: "volume" }), ["T1110"]);
  const [reason] = STOLEN.reasons;
  const failures = { ...reason!, feature: "userFailures10m" };
  assert.deepEqual(ids({ ...STOLEN, signal: "volume", reasons: [failures] }), ["T1078", "T1110"]);
  const none = { ...failures, contribution: 0 };
  assert.deepEqual(ids({ ...STOLEN, signal: "volume", reasons: [none] }), ["T1078"]);
});

test("an account of one of the two hosts is a local one", () => {
  const local = { user: "admin@FILES-1", targetUser: "admin@FILES-1" };
  assert.deepEqual(ids(withLogin(STOLEN, local)), ["T1078.003", "T1550.002"]);
});

test("every finding suggests a technique, and its text says that it is a suggestion", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { attacks, desc } = toFinding(odd).finding_info;
      assert(attacks.length > 0);
      assert.match(desc, /Suggested ATT&CK techniques, not proven/);
      for (const { technique, sub_technique } of attacks) {
        assert(desc.includes((sub_technique ?? technique).uid));
        if (sub_technique !== undefined) assert(sub_technique.uid.startsWith(`${technique.uid}.`));
      }
    }),
  );
});
