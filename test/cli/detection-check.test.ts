import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { parse } from "yaml";
import { runCheck } from "../../src/cli/detection-check.ts";
import { loadConfig } from "../../src/config/load.ts";
import { OddlinkError } from "../../src/errors.ts";

const PAGE = join(import.meta.dirname, "..", "..", "docs", "suppressions.md");
const NOW_MS = Date.parse("2027-01-01T00:00:00Z");

test("the configuration that the page shows passes its own checks", async () => {
  const blocks = [...readFileSync(PAGE, "utf8").matchAll(/```yaml\n([\s\S]*?)```/g)].map(([, yaml]) => yaml);
  const flags = parse(blocks.join("\n")) as Record<string, unknown>;
  const config = loadConfig({ environment: {}, flags, nowMs: NOW_MS });
  assert.deepEqual([config.suppressions.length, config.checks.length], [1, 3]);
  for (const check of config.checks) {
    const { ok, found } = await runCheck(check, config, NOW_MS, new AbortController().signal);
    assert.ok(ok, `${check.name}: ${JSON.stringify(found)}`);
  }
});

test("logins of a check come as far apart as it says, and the last one when it says", async () => {
  const sameHost = { user: "ann", sourceHost: "pc7", targetHost: "db1", authType: "Kerberos" };
  const flags = (everyMinutes: number, afterMinutes: number) => ({
    checks: [
      {
        name: "one",
        at: "2026-05-01T12:00:00+02:00",
        logins: [
          { ...sameHost, repeat: 60, everyMinutes },
          { ...sameHost, sourceHost: "kiosk", authType: "NTLM", afterMinutes },
        ],
        expect: "alert",
      },
    ],
  });
  const found = async (everyMinutes: number, afterMinutes: number) => {
    const config = loadConfig({ environment: {}, flags: flags(everyMinutes, afterMinutes) });
    return (await runCheck(config.checks[0]!, config, NOW_MS, new AbortController().signal)).found;
  };
  // Presence judges an account that it has watched for six hours: 354 minutes of repetition, and what comes after.
  assert.equal((await found(6, 6)).outcome, "alert");
  const young = await found(6, 5.99);
  assert.deepEqual([young.outcome, young.why], ["none", "account watched for 6.0 of 6 hours so far"]);
});

test("checks that are stopped are not held for passed", async () => {
  const logins = [{ user: "ann", targetHost: "db1", repeat: 1000 }];
  const config = loadConfig({
    environment: {},
    flags: { checks: [{ name: "one", logins, expect: "none" }] },
  });
  await assert.rejects(
    runCheck(config.checks[0]!, config, NOW_MS, AbortSignal.abort()),
    (error) => error instanceof OddlinkError && error.code === "STOPPED",
  );
});
