import assert from "node:assert/strict";
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { inspect } from "node:util";
import { loadConfig } from "../../src/config/load.ts";
import { run, temporaryFolder } from "../processes/oddlink.ts";

const SECRET = "hunter2";

const LINES = (count: number, line: (i: number) => string): string =>
  Array.from({ length: count }, (_, i) => line(i)).join("\n");

/** Each is an error in words that names no secret, and takes no time. */
const FILES: Readonly<Record<string, string>> = {
  "aliases of aliases": LINES(9, (i) => `a${i}: &a${i} [${`${i === 0 ? "x" : `*a${i - 1}`},`.repeat(9)}]`),
  "an alias of itself": "kafka: &a\n  brokers: *a\n",
  "a billion laughs by merging": `${LINES(9, (i) => `a${i}: &a${i} {${i === 0 ? "x: 1" : `<<: [*a${i - 1}, *a${i - 1}]`}}`)}\n`,
  "deep lists": `a: ${"[".repeat(50_000)}`,
  "deep lists that end": `a: ${"[".repeat(50_000)}${"]".repeat(50_000)}`,
  "deep objects": `${"{a: ".repeat(5000)}1${"}".repeat(5000)}`,
  "deep blocks": LINES(2000, (i) => `${" ".repeat(i)}a:`),
  "a list where settings are": "- 1",
  __proto__: "__proto__: {seed: 1}",
  "__proto__ deeper": "kafka: {__proto__: {brokers: evil:9092}}",
  constructor: "constructor: {prototype: {x: 1}}",
  "a function's name": "toString: 1",
  "a password that begins as an alias does": `kafka:\n  sasl:\n    password: *${SECRET}\n`,
  "a password that begins as a comment of a block does": `kafka:\n  sasl:\n    password: |${SECRET}\n`,
  "a password without a blank before it": `input:\n  registry: {url: 'http://registry', token:${SECRET}}\n`,
  "a password in an unknown setting": `kafka:\n  sasl:\n    passwort: ${SECRET}\n`,
  "a password as a key": `kafka:\n  sasl: {password: {"${SECRET}": 1}}\n`,
  "a token of a webhook that is no token": `outputs: {webhooks: [{name: a, url: 'https://x', token: "${SECRET} é"}]}`,
};

test("a hostile configuration is an error in words, at once, and changes no object", (t) => {
  const file = join(temporaryFolder(t), "oddlink.yaml");
  for (const [name, text] of Object.entries(FILES)) {
    writeFileSync(file, text);
    const startedMs = performance.now();
    assert.throws(
      () => loadConfig({ file, environment: {}, flags: {} }),
      (error: Error & { code?: string }) => {
        assert.equal(error.code, "CONFIG_INVALID", `${name}: ${error}`);
        assert.ok(error.message.length < 5000, name);
        assert.ok(!inspect(error, { depth: null, showHidden: true }).includes(SECRET), `${name}: ${error}`);
        return true;
      },
      name,
    );
    assert.ok(performance.now() - startedMs < 10_000, name);
  }
  assert.equal(({} as Record<string, unknown>)["x"], undefined);
  assert.equal(({} as Record<string, unknown>)["seed"], undefined);
});

test("a secret that is written as a tag or a directive is in no warning", async (t) => {
  const file = join(temporaryFolder(t), "oddlink.yaml");
  writeFileSync(
    file,
    `%${SECRET} x\n---\nkafka:\n  sasl:\n    mechanism: plain\n    username: a\n    password: !${SECRET} x\n`,
  );
  const { code, stdout, stderr } = await run(["run", "--config", file, "--print-config"], {
    env: { ODDLINK_OUTPUTS_WEBHOOKS: `[{name: a, url: "https://x", token: !${SECRET} abc}]` },
  });
  assert.equal(code, 0, stderr);
  assert.ok(!(stdout + stderr).includes(SECRET), stderr);
});
