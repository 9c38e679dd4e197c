import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { SIGNALS } from "../../src/alerts/odd-login.ts";
import { type SuppressionMatch, Suppressions } from "../../src/alerts/suppression.ts";
import { TextPatterns } from "../../src/alerts/text-pattern.ts";
import { endMsOf } from "../../src/alerts/until.ts";
import type { Login } from "../../src/ingest/login.ts";
import { login, loginBytes } from "../graph-state/logins.ts";
import { nameArbitrary } from "./odd-logins.ts";

const UNTIL = "2027-03-31";
const BEFORE_MS = Date.parse("2027-03-31T23:59:59.999Z");

const rules = (...matches: SuppressionMatch[]): Suppressions =>
  new Suppressions(
    matches.map((match, i) => ({ id: `rule-${i}`, owner: "soc", reason: "known", until: UNTIL, match })),
  );
const ruleOf = (suppressions: Suppressions, overrides: Partial<Login>) =>
  suppressions.find("presence", loginBytes(login({ timeMs: BEFORE_MS, ...overrides })))?.id;

test("letters are matched in any case, lists by any of them, asterisks by any characters or none", () => {
  const cases: readonly (readonly [pattern: string | string[], name: string, matches: boolean])[] = [
    ["svc-scan", "SVC-Scan", true],
    ["svc-scan", "svc-scanner", false],
    ["svc-scan*", "svc-scan", true],
    ["*@corp", "ann@CORP", true],
    ["*@corp", "ann@corp.evil", false],
    ["a*b*c", "a-b-b-c", true],
    ["a*b*c", "a-c-b", false],
    ["ab*ba", "aba", false],
    ["a*a", "a", false],
    ["*an*n*", "ann", true],
    [["x", "y"], "Y", true],
    [["x", "y"], "z", false],
    ["müller", "MÜLLER", true],
    ["pc.7", "pcx7", false],
    ["^x$", "x", false],
    ["C1$", "c1$", true],
  ];
  for (const [pattern, name, matches] of cases)
    assert.equal(
      ruleOf(rules({ user: pattern }), { user: name }) !== undefined,
      matches,
      `${pattern} ${name}`,
    );
});

test("a name that only looks or folds like another one is not taken for it", () => {
  for (const user of ["\u212aate", "kate\u0000", "k\u0430te", "kate ", "\u202ekate", "kate\n", "ſam", "İan"])
    assert.equal(ruleOf(rules({ user: ["kate", "sam", "ian", "i̇an"] }), { user }), undefined, user);
});

test("all that a rule names must hold, an absent name never does, and the first rule of several is told", () => {
  const match = { user: "ann", sourceHost: "kiosk*", signal: ["presence", "volume"] } as const;
  const two = rules(match, { user: "ann" });
  assert.equal(ruleOf(two, { user: "ann", sourceHost: "kiosk7" }), "rule-0");
  assert.equal(ruleOf(two, { user: "ann", sourceHost: "pc7" }), "rule-1");
  assert.equal(ruleOf(two, { user: "bob", sourceHost: "kiosk7" }), undefined);
  const one = rules(match);
  const bytes = loginBytes(login({ timeMs: BEFORE_MS, user: "ann", sourceHost: "kiosk7" }));
  assert.deepEqual(
    SIGNALS.map((signal) => one.find(signal, bytes)?.id),
    ["rule-0", undefined, undefined, "rule-0"],
  );
  assert.equal(ruleOf(rules({ sourceHost: "*x*" }), { sourceHost: "" }), undefined);
});

test("a rule ends with its last day in UTC, or at its time, by the time of the login", () => {
  const ann = rules({ user: "ann" });
  assert.equal(ruleOf(ann, { user: "ann" }), "rule-0");
  assert.equal(ruleOf(ann, { user: "ann", timeMs: BEFORE_MS + 1 }), undefined);
  assert.equal(endMsOf(UNTIL), BEFORE_MS + 1);
  assert.equal(endMsOf("2027-03-31T18:00:00+02:00"), Date.parse("2027-03-31T16:00:00Z"));
});

/** The textbook's definition, exponential. */
function matchesByDefinition(pattern: string, text: string): boolean {
  if (pattern === "") return text === "";
  if (pattern[0] === "*")
    return (
      matchesByDefinition(pattern.slice(1), text) ||
      (text !== "" && matchesByDefinition(pattern, text.slice(1)))
    );
  return text[0] === pattern[0] && matchesByDefinition(pattern.slice(1), text.slice(1));
}

test("asterisks mean what the textbook says, for any pattern and text", () => {
  const letters = (of: string, maxLength: number) =>
    fc.string({ unit: fc.constantFrom(...of), minLength: 1, maxLength });
  fc.assert(
    fc.property(letters("ab*", 8), letters("ab", 10), (pattern, text) => {
      assert.equal(new TextPatterns([pattern]).matches(text), matchesByDefinition(pattern, text));
    }),
    { numRuns: 2000 },
  );
});

test("any name matches itself, and many asterisks against a long name cost no time", () => {
  fc.assert(
    fc.property(nameArbitrary, (name) => {
      if (name === "" || name.includes("*")) return;
      assert.ok(new TextPatterns([name]).matches(name));
    }),
  );
  const patterns = new TextPatterns([`${"*a".repeat(120)}*b`]);
  const startedMs = performance.now();
  for (let i = 0; i < 1000; i++) assert.ok(!patterns.matches("a".repeat(256)));
  assert.ok(performance.now() - startedMs < 5000);
});
