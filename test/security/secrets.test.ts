import assert from "node:assert/strict";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { stringify } from "yaml";
import { SETTINGS } from "../../src/config/load.ts";
import { secretKeys } from "../../src/config/secrets.ts";
import { ended, run, start, temporaryFolder } from "../processes/oddlink.ts";

/** Begins each secret of this test: it may be nowhere. */
const MARKER = "s3cr3t";
const secret = (name: string): string => `${MARKER}-${name}-0123456789abcdef`;
/** A worker without a broker is ended after that: it has said what it has to say. */
const CALL_MS_MAX = 20_000;
/** Nobody listens there. */
const NOWHERE = "127.0.0.1:1";

/** A server that quotes in its answers whatever it was asked, as error pages do. */
async function quotingServer(t: TestContext, status: number) {
  const asked: string[] = [];
  const server = createServer((request: IncomingMessage, response) => {
    asked.push(JSON.stringify(request.headers) + request.url);
    response.writeHead(status, {
      "content-type": "application/json",
      "x-quoted": String(request.headers.authorization ?? ""),
    });
    response.end(JSON.stringify({ error_code: status, message: asked.at(-1) }));
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, asked };
}

/** Configurations that together set every secret there is. */
async function configurations(t: TestContext, folder: string) {
  const [registry, hook] = await Promise.all([quotingServer(t, 401), quotingServer(t, 500)]);
  const file = (name: string, text = secret(name)): string => {
    const path = join(folder, name);
    writeFileSync(path, text);
    return path;
  };
  const common = {
    http: { token: secret("http") },
    outputs: {
      webhooks: [
        { name: "a", url: `${hook.url}/a`, token: secret("webhook") },
        {
          name: "b",
          urlFile: file("urlFile", `${hook.url}/${secret("path")}`),
          tokenFile: file("hookToken"),
        },
      ],
    },
  };
  const withRegistry = (settings: object) => ({ format: "oddlink", registry: settings });
  const byPassword = {
    ...common,
    kafka: {
      brokers: [NOWHERE],
      sasl: { mechanism: "plain", username: "ann", password: secret("sasl") },
      ssl: { enabled: true, keyPassword: secret("key") },
    },
    input: withRegistry({ url: registry.url, username: "ann", password: secret("registry") }),
  };
  const byToken = {
    ...common,
    kafka: { brokers: [NOWHERE], sasl: { mechanism: "oauthbearer", tokenFile: file("saslToken") } },
    input: withRegistry({ url: registry.url, token: secret("registryToken") }),
  };
  const byUrl = {
    ...common,
    kafka: { brokers: [NOWHERE], sasl: { mechanism: "oauthbearer", token: secret("bearer") } },
    input: withRegistry({ url: registry.url.replace("//", `//ann:${secret("registryUrl")}@`) }),
  };
  return { registry, hook, all: [byPassword, byToken, byUrl] };
}

/** Usual logins, and after them odd ones. */
function rowOf(i: number): string {
  const [sourceHost, targetHost] = i < 1500 ? [`c${i % 5}`, `d${i % 3}`] : [`evil${i}`, `vault${i}`];
  const authType = i < 1500 ? "Kerberos" : "NTLM";
  return JSON.stringify({
    timeMs: 1_700_000_000_000 + i * 60_000,
    user: `u${i % 5}`,
    sourceHost,
    targetHost,
    authType,
  });
}

/** Secrets as they are, and as they may be quoted. */
function assertNone(what: string, text: string): void {
  for (const form of [
    MARKER,
    encodeURIComponent(MARKER),
    Buffer.from(`ann:${MARKER}`).toString("base64").slice(0, 12),
  ]) {
    const at = text.indexOf(form);
    assert.ok(at < 0, `${what}: …${text.slice(Math.max(0, at - 200), at + 20)}`);
  }
}

test("the configurations of these tests set every secret that there is", async (t) => {
  const { all } = await configurations(t, temporaryFolder(t));
  const text = JSON.stringify(all);
  for (const key of secretKeys()) assert.ok(text.includes(`"${key}":"${MARKER}`), key);
  // A setting with a file that holds a secret, by its name; those of TLS are read by the connection alone.
  for (const { path } of SETTINGS) {
    const name = path.at(-1)!;
    if (/(token|url)File$/.test(name)) assert.ok(text.includes(`"${name}":`), path.join("."));
  }
});

test("no secret is printed by any command, in errors, in the store or in any file", {
  timeout: 240_000,
}, async (t) => {
  const folder = temporaryFolder(t);
  const { registry, hook, all } = await configurations(t, folder);
  const out = temporaryFolder(t);
  const logins = join(out, "logins.jsonl");
  writeFileSync(logins, Array.from({ length: 1510 }, (_, i) => rowOf(i)).join("\n"));
  for (const [i, config] of all.entries()) {
    const file = join(out, `${i}.yaml`);
    writeFileSync(file, stringify(config));
    const wrong = join(out, `wrong-${i}.yaml`);
    writeFileSync(wrong, `${stringify(config)}seed: -1\nunknown: 1\n`);
    const store = join(out, `${i}.db`);
    const calls: (readonly string[])[] = [
      ...["run", "canary", "normalize", "train"].map((command) => [
        command,
        "--config",
        file,
        "--print-config",
      ]),
      ["run", logins, "--config", wrong],
      ["run", logins, "--config", file, "--detector", "nonsense"],
      [
        "run",
        logins,
        "--config",
        file,
        "--store",
        store,
        "--train",
        "off",
        "--threshold",
        "0.5",
        ...(i === 0 ? [] : ["--json"]),
      ],
      ["doctor", "--config", file],
      ["doctor", "--config", file, "--json"],
    ];
    const check = async (args: readonly string[], timeoutMs?: number): Promise<void> => {
      // Whoever debugs turns on all that the libraries have to say.
      const { stdout, stderr } = await run(args, { env: { KAFKAJS_LOG_LEVEL: "debug" }, timeoutMs });
      assert.ok(stdout + stderr !== "", args.join(" "));
      assertNone(args.join(" "), stdout + stderr);
    };
    // Without a broker they wait more than they work; an outage at the start is the same for all configurations.
    const waiting = i > 0 ? [] : [["topics"], ["run", "--kafka"], ["train", "--follow"]];
    const waited = Promise.all(waiting.map((args) => check([...args, "--config", file], CALL_MS_MAX)));
    for (const args of calls) await check(args);
    await waited;
    // Another password is no other state, and is told by no mismatch.
    const other = join(out, `other-${i}.yaml`);
    writeFileSync(other, stringify(config).replaceAll("abcdef", "fedcba").concat("window: {days: 20}\n"));
    const { code, stderr } = await run(["run", logins, "--config", other, "--store", store]);
    assert.equal(code, 2, stderr);
    assertNone("another configuration", stderr);
  }
  assert.ok(
    registry.asked.some((one) => one.includes(secret("registryToken"))),
    "the registry was asked with its token",
  );
  assert.ok(
    hook.asked.some((one) => one.includes(secret("webhook"))),
    "the webhook was asked with its token",
  );
  for (const name of readdirSync(out)) {
    if (name.endsWith(".yaml")) continue;
    assertNone(name, readFileSync(join(out, name)).toString("latin1"));
  }
});

test("no secret is told over HTTP, nor said while it serves", { timeout: 60_000 }, async (t) => {
  const folder = temporaryFolder(t);
  const { all } = await configurations(t, folder);
  const file = join(folder, "oddlink.yaml");
  writeFileSync(
    file,
    stringify({ ...all[0], http: { token: secret("http"), port: 0 }, management: { port: 0 } }),
  );
  const logins = join(folder, "logins.jsonl");
  writeFileSync(logins, '{"timeMs":1700000000000,"user":"ann","targetHost":"db1"}\n');
  const child = start(["run", logins, "--config", file, "--train", "off", "--serve"]);
  let said = "";
  child.stderr!.on("data", (chunk) => (said += chunk));
  child.stdout!.on("data", (chunk) => (said += chunk));
  let url: string | undefined;
  for (const end = performance.now() + 20_000; url === undefined && performance.now() < end; await sleep(50))
    url = /http: (http:\/\/\S+)\/api\/v1\/status/.exec(said)?.[1];
  assert.ok(url !== undefined, said);
  for (const authorization of [`Bearer ${secret("http")}`, "Bearer wrong", ""]) {
    for (const path of [
      "/",
      "/healthz",
      "/readyz",
      "/metrics",
      "/none",
      ...["status", "incidents", "model", "verdicts", "openapi.json", "incidents/x"].map(
        (one) => `/api/v1/${one}`,
      ),
    ]) {
      const response = await fetch(url + path, { headers: { authorization } });
      assertNone(path, JSON.stringify([...response.headers]) + (await response.text()));
    }
    const refused = await fetch(`${url}/api/v1/score`, {
      method: "POST",
      body: "{",
      headers: { authorization, "content-type": "application/json" },
    });
    assert.ok(refused.status >= 400);
    assertNone("score", await refused.text());
  }
  child.kill("SIGTERM");
  await ended(child);
  assertNone("what it said", said);
});
