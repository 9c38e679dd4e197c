import assert from "node:assert/strict";
import { test } from "node:test";
import { plaintextChecks } from "../../src/cli/doctor-checks.ts";
import { loadConfig } from "../../src/config/load.ts";
import { plaintextCredentials } from "../../src/config/plaintext.ts";
import { run, start } from "../processes/oddlink.ts";

const SECRET = "hunter2";

function found(environment: Readonly<Record<string, string>>): string {
  const config = loadConfig({ environment, flags: {} });
  const text = plaintextCredentials(config).join("; ");
  assert.ok(!text.includes(SECRET));
  for (const { found: one, remedy } of plaintextChecks(config)) assert.ok(one !== "" && remedy !== "", one);
  return text;
}

const SASL = { ODDLINK_KAFKA_SASL_USERNAME: "ann", ODDLINK_KAFKA_SASL_PASSWORD: SECRET };

test("credentials that go over the network in the clear are told, and others are not", () => {
  const far = { ODDLINK_KAFKA_BROKERS: "127.0.0.1:9092,kafka.example:9092", ...SASL };
  assert.match(
    found({ ...far, ODDLINK_KAFKA_SASL_MECHANISM: "plain" }),
    /password of kafka.sasl goes to brokers in the clear/,
  );
  assert.match(
    found({ ...far, ODDLINK_KAFKA_SASL_MECHANISM: "scram-sha-512" }),
    /login of kafka.sasl can be guessed at/,
  );
  assert.match(
    found({ ...far, ODDLINK_KAFKA_SASL_MECHANISM: "oauthbearer", ODDLINK_KAFKA_SASL_TOKEN: SECRET }),
    /token of kafka.sasl/,
  );
  assert.equal(
    found({ ...far, ODDLINK_KAFKA_SASL_MECHANISM: "plain", ODDLINK_KAFKA_SSL_ENABLED: "true" }),
    "",
  );
  for (const broker of ["localhost:9092", "127.0.0.1:9092", "[::1]:9092"])
    assert.equal(
      found({ ...SASL, ODDLINK_KAFKA_SASL_MECHANISM: "plain", ODDLINK_KAFKA_BROKERS: broker }),
      "",
      broker,
    );

  const registry = (url: string, more = {}) => found({ ODDLINK_INPUT_REGISTRY_URL: url, ...more });
  assert.match(
    registry("http://registry:8081", { ODDLINK_INPUT_REGISTRY_TOKEN: SECRET }),
    /input.registry go over http/,
  );
  assert.match(registry(`http://ann:${SECRET}@registry:8081`), /input.registry go over http/);
  assert.equal(registry("http://registry:8081"), "");
  assert.equal(registry("https://registry", { ODDLINK_INPUT_REGISTRY_TOKEN: SECRET }), "");
  assert.equal(registry("http://localhost:8081", { ODDLINK_INPUT_REGISTRY_TOKEN: SECRET }), "");

  const webhook = (text: string) => found({ ODDLINK_OUTPUTS_WEBHOOKS: `[{ name: soar, ${text} }]` });
  assert.match(webhook(`url: "http://soar.example/x", token: ${SECRET}`), /token of the webhook soar/);
  assert.equal(webhook(`url: "https://soar.example/x", token: ${SECRET}`), "");
  assert.equal(webhook('url: "http://soar.example/x"'), "");
});

test("a worker says at its start, and doctor as a check, that a password goes in the clear", async () => {
  const env = {
    ODDLINK_KAFKA_BROKERS: "127.0.0.1:1,kafka.invalid:9092",
    ODDLINK_KAFKA_SASL_MECHANISM: "plain",
    ODDLINK_HTTP_ENABLED: "false",
    ...SASL,
  };
  const doctor = await run(["doctor"], { env });
  assert.match(doctor.stdout, /^warn +credentials +without TLS the password/m);
  const worker = start(["run", "--kafka"], { env });
  let said = "";
  for await (const chunk of worker.stderr!) {
    said += chunk;
    if (said.includes("set kafka.ssl.enabled")) break;
  }
  worker.kill("SIGKILL");
  assert.match(
    said,
    /without TLS the password of kafka.sasl goes to brokers in the clear: set kafka.ssl.enabled/,
  );
});
