import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { CHART } from "./chart.ts";

test("pods that are ready pass the test of a release", async (t) => {
  const { status, output } = await ask(await pod(t, () => 200));
  assert.equal(status, 0, output);
  assert.match(output, /all 1 are ready/);
});

test("a pod that becomes ready is waited for", async (t) => {
  let asked = 0;
  const { status, output } = await ask(await pod(t, () => (asked++ < 1 ? 503 : 200)), "127.0.0.1", "20");
  assert.equal(status, 0, output);
});

test("a pod that does not become ready fails the test, and is named", async (t) => {
  const port = await pod(t, () => 503);
  const { status, output } = await ask(port);
  assert.equal(status, 1);
  assert.match(output, new RegExp(`127.0.0.1:${port}/readyz: 503`));
});

test("a pod that does not answer fails the test, with the reason", async () => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  const { status, output } = await ask(port);
  assert.equal(status, 1);
  assert.match(output, /ECONNREFUSED/);
});

test("no pods at all fail the test", async () => {
  const { status, output } = await ask(1, "no-such-host.invalid");
  assert.equal(status, 1);
  assert.match(output, /not ready: no pods of no-such-host.invalid/);
});

/** Port of something that answers as a pod does. */
async function pod(t: Pick<TestContext, "after">, statusOf: () => number): Promise<number> {
  const server = createServer((request, response) => {
    response.writeHead(request.url === "/readyz" ? statusOf() : 404).end();
  });
  t.after(() => server.close());
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return (server.address() as AddressInfo).port;
}

/** Runs the script as the pod of `helm test` does. */
async function ask(port: number, host = "127.0.0.1", seconds = "0") {
  const script = readFileSync(join(CHART, "files", "ready.mjs"), "utf8");
  const environment = { ...process.env, READY_HOST: host, READY_PORT: String(port), READY_SECONDS: seconds };
  const child = spawn(process.execPath, ["--input-type=module", "--eval", script], { env: environment });
  let output = "";
  child.stdout.on("data", (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  return { status, output };
}
