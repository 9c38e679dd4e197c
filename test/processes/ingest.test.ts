import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { EXAMPLE_MAPPING } from "../../scripts/formats.ts";
import { run, temporaryFolder } from "./oddlink.ts";

const SAMPLE = join(import.meta.dirname, "..", "ingest", "samples", "otrf-windows.jsonl.gz");

test("what is read of records is shown with where it comes from, and of others why they are no logins", async () => {
  const { code, stdout } = await run(["ingest", "--explain", SAMPLE, "--records", "1"]);
  assert.equal(code, 0);
  assert.match(stdout, /otrf-windows\.jsonl\.gz, line 2: windows, login\n/);
  assert.match(stdout, /\n {2}source host {2}172\.18\.38\.5 {2}from `WorkstationName`, else `IpAddress`/);
  assert.match(stdout, /line 3: windows, ignored: log-off\n/);
  assert.match(stdout, /\nRecords {2}1,215: login 442, /);
  assert.match(stdout, /\nFormats {2}windows 1,215\n$/);
});

test("a format of one's own, garbage and control characters", async (t) => {
  const config = join(temporaryFolder(t), "vpn.yaml");
  writeFileSync(config, EXAMPLE_MAPPING);
  const record = (name: string): string =>
    JSON.stringify({ product: "acme-vpn", ts: 1772359200, event: { action: "connect" }, account: { name } });
  const input = `${record("Ann")}\n${record("\u001b[2JBob")}\nhello\n${record("Ann").slice(0, 40)}\n`;
  const { code, stdout } = await run(["ingest", "--explain", "-", "--config", config], { input });
  assert.equal(code, 0);
  assert.match(stdout, /line 1: vpn, login\n/);
  assert.match(stdout, /\n {2}user {9}ann {2}from \{"path":"account\.name","domain":"account\.realm"\}/);
  assert.match(stdout, /\nRecords {2}4: login 2, /);
  assert.ok(!stdout.includes("\u001b"));
});

test("wrong use says what is right", async () => {
  const unsaid = await run(["ingest", SAMPLE]);
  assert.deepEqual([unsaid.code, /--explain/.test(unsaid.stderr)], [2, true]);
  assert.equal((await run(["ingest", "--explain"])).code, 2);
  assert.notEqual((await run(["ingest", "--explain", "/nowhere"])).code, 0);
});
