import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
import { createServer } from "node:net";
import { test } from "node:test";
import { loadConfig } from "../../src/config/load.ts";
import { get, stage } from "./console-stage.ts";

const TOKEN = "0123456789abcdef";

/** `fetch` sets the name by itself. */
async function statusAs(url: string, host: string): Promise<number> {
  const asked = request(url, { headers: { host } });
  asked.end();
  const [response] = await once(asked, "response");
  response.resume();
  return response.statusCode;
}

test("on loopback only names of loopback are answered, so that no page from elsewhere can read alerts", async (t) => {
  const { console } = await stage(t);
  const url = `${console.url}/api/v1/status`;
  for (const host of ["localhost:1", "127.0.0.1", "127.8.8.8:99", "[::1]:9464", "oddlink.localhost"])
    assert.equal(await statusAs(url, host), 200, host);
  for (const host of ["evil.example", "127.0.0.1.evil.example", "10.0.0.1:9464", "localhost.evil.example"])
    assert.equal(await statusAs(url, host), 421, host);
});

test("a token is asked for everywhere but by health checks", async (t) => {
  const { console } = await stage(t, { token: TOKEN });
  const url = `${console.url}/api/v1/status`;
  assert.equal((await get(url)).status, 401);
  assert.equal((await get(url, { authorization: "Bearer 0123456789abcdeg" })).status, 401);
  assert.equal((await get(url, { authorization: TOKEN })).status, 401);
  assert.equal((await get(url, { authorization: `Bearer ${TOKEN}` })).status, 200);
  assert.equal((await get(`${console.url}/healthz`)).status, 200);
  assert.equal((await get(`${console.url}/api/v1/openapi.json`)).status, 401);
});

test("who a proxy let in is let in, whatever name the proxy was asked by", async (t) => {
  const { console } = await stage(t, { trustedHeader: "X-Forwarded-User" });
  const url = `${console.url}/api/v1/status`;
  assert.equal((await get(url)).status, 401);
  assert.equal((await get(url, { "x-forwarded-user": "ann" })).status, 200);
  assert.equal((await get(url, { "x-forwarded-user": "" })).status, 401);
});

test("beyond loopback nothing is served without a token or a proxy", () => {
  const http = (flags: Record<string, unknown>) => () =>
    loadConfig({
      environment: {},
      flags: Object.fromEntries(Object.entries(flags).map(([k, v]) => [`http.${k}`, v])),
    });
  for (const host of ["0.0.0.0", "::", "10.0.0.7", "example.org", "127.0.0.1.example.org"])
    assert.throws(http({ host }), /beyond loopback a token or a trustedHeader is needed/, host);
  http({ host: "0.0.0.0", token: TOKEN })();
  http({ host: "0.0.0.0", trustedHeader: "X-User" })();
  http({ host: "::1" })();
  assert.throws(http({ token: "short" }), /16 characters or more/);
});

test("answers may not be cached, framed or run", async (t) => {
  const { console } = await stage(t);
  for (const path of ["/api/v1/status", "/none"]) {
    const { headers } = await get(console.url + path);
    assert.equal(headers.get("cache-control"), "no-store");
    assert.equal(headers.get("x-content-type-options"), "nosniff");
    assert.match(headers.get("content-security-policy")!, /default-src 'none'/);
  }
});

test("a port that is taken is an error if it was asked for, and another one is taken if it was not", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  const { port } = server.address() as { port: number };
  await assert.rejects(stage(t, { port }), { code: "HTTP_UNAVAILABLE", message: /is taken by another/ });
  await assert.rejects(stage(t, { host: "192.0.2.1", port: 0, token: TOKEN }), { code: "HTTP_UNAVAILABLE" });
  const first = await stage(t, { port: undefined });
  const second = await stage(t, { port: undefined });
  assert.notEqual(first.console.url, second.console.url);
});
