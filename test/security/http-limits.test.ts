import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { connect, type Socket } from "node:net";
import { type TestContext, test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { toFinding } from "../../src/alerts/finding.ts";
import { HTTP_LIMITS } from "../../src/console/http-server.ts";
import { openManagement } from "../../src/console/management.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { stage, WELL } from "../console/console-stage.ts";

const TOKEN = "0123456789abcdef";
const FINDING = toFinding(STOLEN);

/** What is answered to bytes, until the connection is closed. */
async function answerTo(t: TestContext, url: string, bytes: string): Promise<{ text: string; ms: number }> {
  const { hostname, port } = new URL(url);
  const socket = connect(Number(port), hostname);
  t.after(() => socket.destroy());
  const startedMs = performance.now();
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (chunk) => (text += chunk));
  socket.write(bytes);
  await once(socket, "close");
  return { text, ms: performance.now() - startedMs };
}

/** Status of a request as it is given. */
async function statusOf(url: string, options: object, body?: string): Promise<number> {
  const asked = request(url, { agent: false, ...options });
  asked.on("error", () => {});
  asked.end(body);
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}

test("who does not finish a request is cut off, whether or not a token is needed, on the management port too", {
  timeout: 60_000,
}, async (t) => {
  const { console } = await stage(t, { token: TOKEN });
  const managed = await openManagement({ host: "127.0.0.1", port: 0, operations: WELL, onBug: assert.fail });
  t.after(() => managed.close());
  const slow = [
    "",
    "GET /healthz HTTP/1.1\r\nhost: localhost\r\n",
    "POST /api/v1/score HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{",
  ];
  const answers = await Promise.all(
    [console.url, managed.url].flatMap((url) => slow.map((bytes) => answerTo(t, url, bytes))),
  );
  for (const { text, ms } of answers) {
    assert.ok(ms < HTTP_LIMITS.requestMsMax + 6000, `${Math.round(ms)} ms`);
    assert.doesNotMatch(text, /^HTTP\/1.1 200/);
  }
});

test("headers, bodies and addresses that are too long, and keys that objects are made with, are refused", async (t) => {
  const { console, bugs } = await stage(t);
  const status = `${console.url}/api/v1/status`;
  assert.equal(await statusOf(status, { headers: { x: "y".repeat(HTTP_LIMITS.headerBytesMax) } }), 431);
  const { text } = await answerTo(
    t,
    console.url,
    `GET /${"x".repeat(HTTP_LIMITS.headerBytesMax)} HTTP/1.1\r\nhost: localhost\r\n\r\n`,
  );
  assert.match(text, /^HTTP\/1.1 431/);
  const post = (body: string, type = "application/json") =>
    statusOf(`${console.url}/api/v1/score`, { method: "POST", headers: { "content-type": type } }, body);
  assert.equal(await post(`"${"x".repeat(HTTP_LIMITS.bodyBytesMax)}"`), 413);
  const depth = 30_000;
  assert.equal(await post("[".repeat(depth) + "]".repeat(depth)), 400);
  assert.equal(await post(`{"user":${"[".repeat(depth)}${"]".repeat(depth)}}`), 400);
  for (const key of ["__proto__", "constructor"])
    assert.equal(await post(`{"user":"ann","targetHost":"db1","${key}":{"prototype":{"polluted":1}}}`), 400);
  // What a page from elsewhere may send without asking first.
  assert.ok((await post('{"user":"ann","targetHost":"db1"}', "text/plain")) >= 400);
  assert.ok((await post("user=ann", "application/x-www-form-urlencoded")) >= 400);
  assert.equal(await statusOf(`${console.url}/api/v1/incidents?limit=1&__proto__[x]=1`, {}), 400);
  assert.equal(await statusOf(`${console.url}/api/v1/incidents?limit=1e99`, {}), 400);
  assert.equal(({} as Record<string, unknown>)["polluted"], undefined);
  assert.deepEqual(bugs, []);
});

test("no way of writing an address goes round the token", async (t) => {
  const { console } = await stage(t, { token: TOKEN });
  const { host } = new URL(console.url);
  for (const path of [
    "/page/../api/v1/status",
    "/page/%2e%2e/api/v1/status",
    "//api/v1/status",
    "/API/v1/status",
    "/healthz/../api/v1/status",
    "/api/v1/status;/page/",
    "/api/v1/status?/page/",
    "/metrics?",
    `http://${host}/page/../api/v1/status`,
    `http://${host}/api/v1/status`,
    "/api/v1/status#/healthz",
  ]) {
    const { text } = await answerTo(
      t,
      console.url,
      `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`,
    );
    assert.match(text, /^HTTP\/1.1 4\d\d/, path);
  }
});

test("beyond so many connections new ones are closed, and those that are there go on", {
  timeout: 60_000,
}, async (t) => {
  const managed = await openManagement({ host: "127.0.0.1", port: 0, operations: WELL, onBug: assert.fail });
  t.after(() => managed.close());
  const { hostname, port } = new URL(managed.url);
  const sockets: Socket[] = [];
  t.after(() => {
    for (const socket of sockets) socket.destroy();
  });
  let closed = 0;
  for (let i = 0; i < HTTP_LIMITS.connectionsMax + 50; i++) {
    const socket = connect(Number(port), hostname);
    socket.on("error", () => {});
    socket.on("close", () => closed++);
    sockets.push(socket);
    if (i % 100 === 99) await sleep(20);
  }
  for (const end = performance.now() + 5000; closed < 50; await sleep(20)) assert.ok(performance.now() < end);
  assert.equal(closed, 50);
  const first = sockets[0]!;
  first.write("GET /healthz HTTP/1.1\r\nhost: localhost\r\n\r\n");
  const [answer] = await once(first, "data");
  assert.match(String(answer), /^HTTP\/1.1 200/);
});

test("what was missed is told as fast as it is read, all of it, and no faster", {
  timeout: 60_000,
}, async (t) => {
  const { console, feed } = await stage(t);
  const alert = (i: number) => ({
    ...FINDING,
    metadata: { ...FINDING.metadata, uid: `a${i}` },
    message: "x".repeat(100_000),
  });
  const COUNT = 300;
  for (let i = 0; i <= COUNT; i++) feed.add(alert(i));
  const listen = async () => {
    const asked = request(`${console.url}/api/v1/events`, {
      headers: { "last-event-id": "a0" },
      agent: false,
    });
    asked.on("error", () => {});
    asked.end();
    t.after(() => asked.destroy());
    const [response] = await once(asked, "response");
    response.on("error", () => {});
    return response;
  };
  const before = process.memoryUsage().rss;
  const idle = [];
  for (let i = 0; i < 10; i++) idle.push((await listen()).pause());
  await sleep(500);
  const grownMib = (process.memoryUsage().rss - before) / 2 ** 20;
  // All of it would be 30 MiB for each of the ten, twice in memory where both ends are in one process.
  assert.ok(grownMib < 200, `${Math.round(grownMib)} MiB`);
  const ids: string[] = [];
  const reader = await listen();
  let rest = "";
  reader.setEncoding("utf8").on("data", (chunk: string) => {
    const lines = (rest + chunk).split("\n");
    rest = lines.pop()!;
    for (const line of lines) if (line.startsWith("id: ")) ids.push(line.slice(4));
  });
  for (const end = performance.now() + 20_000; ids.length < COUNT; await sleep(20))
    assert.ok(performance.now() < end);
  feed.add(alert(COUNT + 1));
  for (const end = performance.now() + 5000; ids.length <= COUNT; await sleep(20))
    assert.ok(performance.now() < end);
  assert.deepEqual(
    ids,
    Array.from({ length: COUNT + 1 }, (_, i) => `a${i + 1}`),
  );
});
