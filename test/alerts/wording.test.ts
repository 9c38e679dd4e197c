import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../src/alerts/finding.ts";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { odds } from "../../src/alerts/wording.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

test("the message is one sentence with route, odds and the strongest reason", () => {
  assert.equal(
    toFinding({ ...STOLEN, signal: "surprise" }).message,
    "Login of alice@CORP from laptop-9 to files-1 (NTLM, Network, success): 1 login in 100,000 looks this odd; " +
      "alice@CORP has shown Kerberos or console logins on 2 hosts, never on laptop-9.",
  );
});

test("presence is a rule: its message claims no odds but those of surprise", () => {
  const reason = "alice@CORP has shown Kerberos or console logins on 2 hosts, never on laptop-9";
  const tier = { ...STOLEN, score: 2e-12 };
  assert(toFinding(tier).message.endsWith(`: ${reason}; besides, 1 login in 500 looks this odd.`));
  assert(toFinding({ ...tier, signals: { presence: 1e-9 } }).message.endsWith(`: ${reason}.`));
});

test("a target account is named only if it is another one", () => {
  assert.match(
    toFinding(withLogin(STOLEN, { targetUser: "root" })).message,
    /^Login of alice@CORP as root from/,
  );
});

test("what is unknown is left out or said to be", () => {
  const odd = withLogin(STOLEN, {
    targetUser: "",
    targetHost: "",
    authType: "",
    logonType: "",
    outcome: "unknown",
  });
  assert.match(toFinding(odd).message, /^Login of alice@CORP from laptop-9 \(outcome unknown\): /);
});

test("odds are rounded, grouped and never absurd", () => {
  assert.equal(odds(0.5), "1 login in 2 looks this odd");
  assert.equal(odds(0.9), "more than half of all logins look this odd");
  assert.equal(odds(3.2e-7), "1 login in 3,100,000 looks this odd");
  assert.equal(odds(1e-9), "1 login in 1,000,000,000 looks this odd");
  assert.equal(odds(0), "fewer than 1 login in a billion looks this odd");
});

test("what is still being learnt is said in the description", () => {
  const { desc } = toFinding({ ...STOLEN, learning: "alice@CORP, 3 of 50 records" }).finding_info;
  assert.match(desc, /Still learning: alice@CORP, 3 of 50 records\.$/);
  assert.doesNotMatch(toFinding(STOLEN).finding_info.desc, /learning/);
});

test("the next steps name the account or the host", () => {
  for (const signal of SIGNALS) {
    const { desc } = toFinding({ ...STOLEN, signal }).remediation;
    assert.match(desc, /laptop-9/);
  }
});

test("no name can break a line or turn the text of an alert around", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { message, finding_info, remediation } = toFinding(odd);
      for (const text of [message, finding_info.title, finding_info.desc, remediation.desc]) {
        assert.doesNotMatch(text, /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/u);
      }
    }),
    { numRuns: 1_000 },
  );
  const forged = withLogin(STOLEN, { user: "eve\u202e\n" });
  assert.match(toFinding(forged).finding_info.title, /^eve\\u\{202e\}\\u\{a\} used/);
  assert.equal(toFinding(forged).evidences[0].user?.name, "alice@CORP");
  assert.equal(toFinding(forged).evidences[0].actor?.user.name, "eve\u202e\n");
});
