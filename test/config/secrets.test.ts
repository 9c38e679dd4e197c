import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { inspect } from "node:util";
import { parse as parseYaml } from "yaml";
import { loadConfig, printConfig, SETTINGS } from "../../src/config/load.ts";
import type { Config } from "../../src/config/schema.ts";
import { settingsKey } from "../../src/config/settings-key.ts";
import { OddlinkError } from "../../src/errors.ts";

const SECRET = "hunter2";

/** A configuration with these settings of the registry, given by environment. */
function withRegistry(settings: Readonly<Record<string, string>>): Config {
  const environment = Object.fromEntries(
    Object.entries(settings).map(([key, value]) => [`ODDLINK_INPUT_REGISTRY_${key.toUpperCase()}`, value]),
  );
  return loadConfig({ environment, flags: {} });
}

function fromFile(t: TestContext, text: string): Config {
  const folder = mkdtempSync(join(tmpdir(), "oddlink-test-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const file = join(folder, "oddlink.yaml");
  writeFileSync(file, text);
  return loadConfig({ file, environment: {}, flags: {} });
}

function problemOf(load: () => unknown): string {
  try {
    load();
  } catch (error) {
    assert.ok(error instanceof OddlinkError && error.code === "CONFIG_INVALID");
    assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(SECRET), error.message);
    return error.message;
  }
  assert.fail("was accepted");
}

test("passwords, tokens and credentials in URLs are not printed; the rest is", () => {
  const printed = [
    printConfig(withRegistry({ url: "http://registry:8081/v7", username: "ann", password: SECRET })),
    printConfig(withRegistry({ url: "https://registry", token: SECRET })),
    printConfig(withRegistry({ url: `https://ann:${SECRET}@registry:8081/v7` })),
    printConfig(withRegistry({ url: `https://${SECRET}@registry:8081/v7` })),
  ];
  for (const text of printed) assert.ok(!text.includes(SECRET), text);
  const [byName, byToken, byUrl] = printed.map((text) => parseYaml(text).input.registry);
  assert.deepEqual(byName, {
    url: "http://registry:8081/v7",
    username: "ann",
    password: "(hidden)",
    timeoutMs: 5000,
    registers: true,
  });
  assert.equal(byToken.token, "(hidden)");
  assert.equal(byUrl.url, "https://(hidden)@registry:8081/v7");
});

test("a printed configuration is accepted again, but not with what was hidden", (t) => {
  const config = withRegistry({ url: "http://registry", username: "ann", password: SECRET });
  const printed = printConfig(config);
  assert.match(
    problemOf(() => fromFile(t, printed)),
    /input\.registry\.password: the secret itself is expected/,
  );
  assert.deepEqual(fromFile(t, printed.replace("(hidden)", SECRET)), config);
  const url = printConfig(withRegistry({ url: `http://ann:${SECRET}@registry` }));
  assert.match(
    problemOf(() => fromFile(t, url)),
    /input\.registry\.url: expected a URL/,
  );
});

test("a configuration that can't be read does not show its secrets", (t) => {
  for (const text of [
    `input:\n  registry:\n    password: ${SECRET}: x\n`,
    `input:\n  registry:\n    password: "${SECRET}\n`,
    `input:\n  registry: {token: ${SECRET}\n`,
    `input:\n  registry:\n    url: 5\n    password: ${SECRET}\n`,
    `input:\n  registry:\n    url: http//ann:${SECRET}@registry\n`,
    `input:\n  registry:\n    url: http://registry/?key=${SECRET}\n`,
    `input:\n  registry:\n    url: http://registry\n    password: ${SECRET}\n`,
    `input:\n  registry:\n    url: http://registry\n    token: "${SECRET} x"\n`,
  ]) {
    problemOf(() => fromFile(t, text));
  }
});

test("credentials are whole, and of one kind", () => {
  const url = "http://registry";
  assert.match(
    problemOf(() => withRegistry({ url, username: "ann" })),
    /set together/,
  );
  assert.match(
    problemOf(() => withRegistry({ url, password: SECRET })),
    /set together/,
  );
  assert.match(
    problemOf(() => withRegistry({ password: SECRET })),
    /input\.registry\.url/,
  );
  assert.match(
    problemOf(() => withRegistry({ url, username: "ann", password: SECRET, token: SECRET })),
    /not both/,
  );
});

test("format avro needs a registry", () => {
  const flags = { "input.format": "avro" };
  assert.match(
    problemOf(() => loadConfig({ environment: {}, flags })),
    /set input\.registry\.url/,
  );
  const environment = { ODDLINK_INPUT_REGISTRY_URL: "http://registry" };
  assert.equal(loadConfig({ environment, flags }).input.registry?.timeoutMs, 5000);
});

test("the registry is no part of what a store was made with", () => {
  const config = withRegistry({ url: "http://registry", username: "ann", password: SECRET });
  assert.equal(settingsKey(config), settingsKey(loadConfig({ environment: {}, flags: {} })));
});

test("where the page and the metrics are served, and how that is tested, is no part of what a store was made with", () => {
  const plain = loadConfig({ environment: {}, flags: {} });
  const served = loadConfig({
    environment: {},
    flags: { "management.port": 9500, "http.port": 9501, "canary.everySeconds": 5 },
  });
  assert.equal(settingsKey(served), settingsKey(plain));
});

test("every setting whose name says secret is one that is hidden", () => {
  // The name of a file that holds a secret is none.
  const secrets = SETTINGS.filter(({ path }) =>
    /(password|passphrase|token|secret)(?!.*file)/i.test(path.at(-1)!),
  );
  assert.ok(secrets.length >= 2);
  for (const { path } of secrets) {
    const name = path.at(-1)!;
    const config = path
      .slice(0, -1)
      .reduceRight<object>((tree, key) => ({ [key]: tree }), { [name]: SECRET });
    assert.ok(!printConfig(config as Config).includes(SECRET), path.join("."));
  }
});
