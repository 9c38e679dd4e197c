import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { loadConfig, SETTINGS } from "../../src/config/load.ts";

function load(t: TestContext, yaml: string, environment: Record<string, string> = {}, flags = {}) {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "oddlink.yaml");
  writeFileSync(file, yaml);
  return loadConfig({ file, environment, flags });
}

test("flags come after the environment, the environment after the file, the file after the defaults", (t) => {
  const config = load(
    t,
    "seed: 2\nwindow: { days: 3, maxLinks: 20000 }\n",
    { ODDLINK_WINDOW_DAYS: "4", ODDLINK_SEED: "5" },
    { seed: 6 },
  );
  assert.deepEqual(
    [config.seed, config.window.days, config.window.maxLinks, config.window.maxJumpDays],
    [6, 4, 20_000, 30],
  );
});

test("an empty section, value or variable is not set", (t) => {
  const defaults = load(t, "");
  const yaml = "window:\noutputs:\n  store:\nlinks:\nseed:\nthreshold: null\n";
  const empty = load(t, yaml, { ODDLINK_SEED: "", ODDLINK_OUTPUTS_STORE: "", ODDLINK_NO_SUCH: "" });
  assert.deepEqual(JSON.parse(JSON.stringify(empty)), JSON.parse(JSON.stringify(defaults)));
  assert.equal(load(t, "seed: 7\n", { ODDLINK_SEED: "" }).seed, 7);
  assert.equal(loadConfig({ environment: { ODDLINK_CONFIG: "" }, flags: {} }).seed, 1);
});

for (const [yaml, expected] of [
  ["windows:\n  days: 3\n", /windows: there is no such setting \(known here: .*\bwindow,.*\) \[.*yaml\]/],
  ["windows:\n", /windows: there is no such setting/],
  [
    "window:\n  day: 3\n",
    /window\.day: there is no such setting \(known here: days, maxJumpDays, maxLinks\)/,
  ],
  ["window: 3\n", /window: .*expected object/],
] as const) {
  test(`a mistyped name is told with those that are known there: ${JSON.stringify(yaml)}`, (t) => {
    assert.throws(() => load(t, yaml), { code: "CONFIG_INVALID", message: expected });
  });
}

test("a decoder that reads dimensions in pairs is refused an odd number of them", (t) => {
  const of = (dimensions: number) => `training: { decoder: rotate, dimensions: ${dimensions} }\n`;
  assert.throws(() => load(t, of(33)), {
    code: "CONFIG_INVALID",
    message: /training: training\.decoder complex and rotate need an even number of training\.dimensions/,
  });
  assert.equal(load(t, of(34)).training.decoder, "rotate");
});

test("every setting says what it is for", () => {
  for (const { path, description } of SETTINGS) assert.ok(description.length > 10, path.join("."));
});
