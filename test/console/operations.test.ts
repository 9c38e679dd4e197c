import assert from "node:assert/strict";
import { test } from "node:test";
import { Liveness, STUCK_MS } from "../../src/console/liveness.ts";
import { openManagement } from "../../src/console/management.ts";
import { stage, WELL } from "./console-stage.ts";

test("health and readiness say why they are not well, with 503", async (t) => {
  const { console } = await stage(t, {
    operations: { ...WELL, stuck: () => "records wait", unready: () => "the stored graph is being read" },
  });
  for (const [path, body] of [
    ["/healthz", { status: "stuck", why: "records wait" }],
    ["/readyz", { status: "not ready", why: "the stored graph is being read" }],
  ] as const) {
    const response = await fetch(`${console.url}${path}`);
    assert.equal(response.status, 503);
    assert.deepEqual(await response.json(), body);
  }
});

test("metrics ask for the token where there is one; health does not", async (t) => {
  const token = "0123456789abcdef";
  const { console } = await stage(t, { token });
  assert.equal((await fetch(`${console.url}/metrics`)).status, 401);
  assert.equal((await fetch(`${console.url}/healthz`)).status, 200);
  const headers = { authorization: `Bearer ${token}` };
  assert.equal((await fetch(`${console.url}/metrics`, { headers })).status, 200);
});

test("a management port that is taken is named", async (t) => {
  const options = { host: "127.0.0.1", port: 0, operations: WELL, onBug: assert.fail };
  const first = await openManagement(options);
  t.after(() => first.close());
  const port = Number(new URL(first.url).port);
  await assert.rejects(openManagement({ ...options, port }), {
    code: "HTTP_UNAVAILABLE",
    message: new RegExp(`^management.port ${port} is taken`),
  });
});

test("a loop is stuck once records have waited for two minutes and nothing was done", () => {
  let nowMs = 0;
  let hasWork = false;
  const liveness = new Liveness(
    () => nowMs,
    () => hasWork,
  );
  nowMs = 10 * STUCK_MS;
  assert.equal(liveness.stuck(), undefined, "who has nothing to do need not move");
  hasWork = true;
  assert.match(liveness.stuck()!, /^records wait, and nothing was done for 1200 s$/);
  liveness.moved();
  nowMs += STUCK_MS - 1;
  assert.equal(liveness.stuck(), undefined);
  nowMs += 1;
  assert.notEqual(liveness.stuck(), undefined);
});
