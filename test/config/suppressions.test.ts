import assert from "node:assert/strict";
import { test } from "node:test";
import { parse } from "yaml";
import { loadConfig, printConfig } from "../../src/config/load.ts";
import { OddlinkError } from "../../src/errors.ts";

const NOW_MS = Date.parse("2027-01-01T00:00:00Z");
const RULE = { id: "scanner", owner: "soc", reason: "known", until: "2027-03-31", match: { user: "svc-*" } };
const CHECK = { name: "one", logins: [{ user: "ann", targetHost: "db1" }], expect: "none" };

const load = (flags: Record<string, unknown>) => loadConfig({ environment: {}, flags, nowMs: NOW_MS });

function refused(flags: Record<string, unknown>, expected: RegExp): void {
  assert.throws(
    () => load(flags),
    (error) =>
      error instanceof OddlinkError && error.code === "CONFIG_INVALID" && expected.test(error.message),
    String(expected),
  );
}

test("a rule has an owner, a reason, an end that is not far off, and a condition", () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ owner: undefined }, /suppressions\.0\.owner/],
    [{ owner: "  " }, /suppressions\.0\.owner/],
    [{ reason: "" }, /suppressions\.0\.reason/],
    [{ until: undefined }, /expected a date \(2027-03-31\) or a time with its zone/],
    [{ until: "soon" }, /expected a date/],
    [{ until: "2027-02-30" }, /expected a date/],
    [{ until: "2027-03-31T18:00:00" }, /expected a date/],
    [{ until: "2028-06-01" }, /suppressions\.0\.until: until 2028-06-01 is more than 366 days ahead/],
    [{ match: {} }, /a rule without a condition would suppress everything/],
    [{ match: undefined }, /suppressions\.0\.match/],
    [{ match: { user: "*" } }, /asterisks alone are no condition/],
    [{ match: { user: ["ann", "**"] } }, /asterisks alone are no condition|Invalid input/],
    [{ match: { user: [] } }, /suppressions\.0\.match\.user/],
    [{ match: { host: "x" } }, /there is no such setting/],
    [{ match: { signal: "oddness" } }, /suppressions\.0\.match\.signal/],
    [{ id: "__proto__" }, /suppressions\.0\.id/],
  ];
  for (const [wrong, expected] of cases) refused({ suppressions: [{ ...RULE, ...wrong }] }, expected);
  refused({ suppressions: [RULE, RULE] }, /two suppressions have the same id/);
});

test("a rule that has ended is valid, and what is printed is read again", () => {
  const suppressions = [
    { ...RULE, until: "2020-01-01", match: { user: ["a*", "B"], signal: ["volume"] } },
    { ...RULE, id: "constructor", until: "2027-03-31T18:00:00Z" },
  ];
  const config = load({ suppressions, checks: [CHECK] });
  assert.deepEqual(config.suppressions, suppressions);
  assert.deepEqual(load(parse(printConfig(config))), config);
});

test("a check names a rule that there is, and only where one is expected to suppress", () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ expect: "suppressed" }, /expect: suppressed names the rule/],
    [{ rule: "scanner" }, /expect: suppressed names the rule/],
    [{ expect: "suppressed", rule: "other" }, /checks\.0\.rule: there is no rule other/],
    [{ signal: "presence" }, /nothing has no signal/],
    [{ logins: [] }, /checks\.0\.logins/],
    [{ logins: [{ user: "ann", targetHost: "db1", timeMs: 1 }] }, /there is no such setting/],
    [{ logins: [{ user: "ann", targetHost: "db1", repeat: 200_001 }] }, /checks\.0\.logins\.0\.repeat/],
    [
      { logins: new Array(3).fill({ user: "a", targetHost: "d", repeat: 100_000 }) },
      /more than 200000 logins/,
    ],
    [
      { logins: [{ user: "ann", sourceHost: "pc7", activity: "evidence" }] },
      /is not scored: end with a login/,
    ],
  ];
  for (const [wrong, expected] of cases)
    refused({ suppressions: [RULE], checks: [{ ...CHECK, ...wrong }] }, expected);
  refused({ checks: [CHECK, CHECK] }, /two checks have the same name/);
});
