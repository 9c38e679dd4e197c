import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { ecsViolations } from "../alerts/ecs-fields.ts";
import { webhookServer } from "../delivery/webhook-server.ts";
import { EXAMPLE_FILE, ended, run, start, temporaryFolder } from "./oddlink.ts";

function webhooks(url: string, more: object = {}): Record<string, string> {
  return { ODDLINK_OUTPUTS_WEBHOOKS: JSON.stringify([{ name: "soar", url, ...more }]) };
}

function linesOf(file: string): string[] {
  return readFileSync(file, "utf8").trimEnd().split("\n");
}

test("a run posts each alert, in order, and says how many", async (t) => {
  const folder = temporaryFolder(t);
  const alerts = join(folder, "alerts.jsonl");
  const { url, received } = await webhookServer(t);
  const { code, stdout, stderr } = await run(["run", EXAMPLE_FILE, "--alerts", alerts], {
    env: webhooks(url),
  });
  assert.equal(code, 0, stderr);
  assert.deepEqual(
    received.map(({ body }) => body),
    linesOf(alerts),
  );
  assert.match(stdout, /To webhook soar: \d+ alerts delivered\./);
  const [{ headers, body }] = received as [(typeof received)[0]];
  assert.equal(headers["ce-id"], JSON.parse(body).metadata.uid);
  assert.equal(headers["ce-source"], "/auth.txt.gz/0");
});

test("alerts that could not be sent wait in the store, through a kill, and are sent by the next run, each once", async (t) => {
  const folder = temporaryFolder(t);
  const alerts = join(folder, "alerts.jsonl");
  const args = ["run", EXAMPLE_FILE, "--store", join(folder, "store.db"), "--alerts", alerts];
  // The first two are taken, then nothing.
  const { url, received } = await webhookServer(t, (count) => (count < 2 ? 204 : 503));
  const child = start(args, { env: webhooks(url) });
  let said = "";
  child.stderr!.on("data", (chunk) => (said += chunk));
  while (!/answers with status 503; alerts wait/.test(said)) await sleep(20);
  // Long after the input is read it still tries.
  await sleep(1500);
  child.kill("SIGKILL");
  assert.equal(await ended(child), null);
  const taken = received.slice(0, 2);
  const back = await webhookServer(t);
  const { code, stdout, stderr } = await run(args, { env: webhooks(back.url) });
  assert.equal(code, 0, stderr);
  const bodies = [...taken, ...back.received].map(({ body }) => body);
  assert.deepEqual(bodies, linesOf(alerts));
  assert.match(stdout, new RegExp(`To webhook soar: ${back.received.length} alerts delivered\\.`));
  // A sink that comes later gets all.
  const late = await webhookServer(t);
  await run(args, { env: webhooks(late.url, { name: "late" }) });
  assert.deepEqual(
    late.received.map(({ body }) => body),
    bodies,
  );
});

test("a run ends though its sink is silent, and says what waits", async (t) => {
  const folder = temporaryFolder(t);
  const args = ["run", EXAMPLE_FILE, "--store", join(folder, "store.db"), "--json"];
  const nobody = webhooks("http://127.0.0.1:9/hook");
  const { code, stdout, stderr } = await run(args, { env: nobody });
  assert.equal(code, 0, stderr);
  const { alerts, sinks } = JSON.parse(stdout);
  assert.equal(sinks["webhook soar"].delivered, 0);
  assert.equal(sinks["webhook soar"].waiting, alerts);
  // Of more than may wait the oldest are passed over, and counted.
  const { url, received } = await webhookServer(t);
  const limited = await run(args, { env: { ...webhooks(url), ODDLINK_OUTPUTS_WAITINGMAX: "3" } });
  assert.equal(received.length, 3);
  assert.equal(JSON.parse(limited.stdout).sinks["webhook soar"].passedOver, alerts - 3);
});

test("alerts are ECS signals where that is asked for, in the file and for webhooks", async (t) => {
  const folder = temporaryFolder(t);
  const alerts = join(folder, "alerts.jsonl");
  const { url, received } = await webhookServer(t);
  const env = { ...webhooks(url), ODDLINK_OUTPUTS_ALERTFORMAT: "ecs" };
  const { code, stderr } = await run(["run", EXAMPLE_FILE, "--alerts", alerts], { env });
  assert.equal(code, 0, stderr);
  const signals = linesOf(alerts).map((line) => JSON.parse(line));
  for (const signal of signals) assert.deepEqual(ecsViolations(signal), []);
  assert.deepEqual(
    received.map(({ body }) => JSON.parse(body)),
    signals,
  );
  assert.equal(received[0]!.headers["ce-type"], "oddlink.ecs-signal");
});

test("settings of sinks are checked before anything starts, and secrets are not printed", async () => {
  const cases: readonly (readonly [object, RegExp])[] = [
    [{ ODDLINK_OUTPUTS_WEBHOOKS: "[{name: a}]" }, /set either url or urlFile, and not both/],
    [{ ODDLINK_OUTPUTS_WEBHOOKS: "[{name: a, url: 'ftp://x'}]" }, /expected a URL as https/],
    [{ ODDLINK_OUTPUTS_WEBHOOKS: "[{name: a, url: 'http://u:p@x'}]" }, /without user and password/],
    [
      { ODDLINK_OUTPUTS_WEBHOOKS: "[{name: a, url: 'http://x'}, {name: a, url: 'http://y'}]" },
      /have the same name/,
    ],
    [{ ODDLINK_OUTPUTS_WEBHOOKS: "[{name: a, urlFile: /none}]" }, /urlFile: can't read \/none \(ENOENT\)/],
    [
      { ODDLINK_OUTPUTS_SYSLOG: "[{name: a, host: h, port: 1}]", ODDLINK_OUTPUTS_ALERTFORMAT: "ecs" },
      /CEF is made of OCSF/,
    ],
    [{ ODDLINK_OUTPUTS_ENCODING: "avro" }, /avro needs a schema registry/],
    [
      { ODDLINK_OUTPUTS_ENCODING: "avro", ODDLINK_INPUT_REGISTRY_URL: "http://r" },
      /outputs\.encoding avro is for topics/,
    ],
  ];
  for (const [env, expected] of cases) {
    const { code, stderr } = await run(["run", EXAMPLE_FILE], { env: env as Record<string, string> });
    assert.equal(code, 2, stderr);
    assert.match(stderr, expected);
  }
  const token = webhooks("http://127.0.0.1/hook", { token: "s3cret" });
  const { stdout } = await run(["run", "--print-config"], { env: token });
  assert.match(stdout, /soar/);
  assert.doesNotMatch(stdout, /s3cret/);
});
