import assert from "node:assert/strict";
import { test } from "node:test";
import { CATALOGUE, type MetricDefinition, PREFIX } from "../../src/metrics/catalogue.ts";
import { assertBalanced, samplesOf, sumOf } from "../metrics/samples.ts";
import { EXAMPLE_FILE, start } from "./oddlink.ts";

const SERVED_MS_MAX = 60_000;

test("a run that is served exports all metrics of a worker, and they balance", {
  timeout: 2 * SERVED_MS_MAX,
}, async (t) => {
  const process = start(["run", EXAMPLE_FILE, "--serve", "--threshold", "0.5"], {
    env: { ODDLINK_HTTP_PORT: "0", ODDLINK_MANAGEMENT_PORT: "0" },
    timeoutMs: SERVED_MS_MAX,
  });
  t.after(() => process.kill("SIGKILL"));
  let said = "";
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  process.stderr!.on("data", (chunk: Buffer) => {
    said += chunk;
    if (/all is read/.test(said)) resolve();
  });
  process.stdout!.resume();
  await ready;
  const [, page] = /http: (http:\/\/[^/]+)/.exec(said)!;
  const [, management] = /management: (http:\/\/[^/]+)/.exec(said)!;
  const text = await (await fetch(`${page}/metrics`)).text();
  const samples = samplesOf(text);
  assert.equal(assertBalanced(samples), 13_999);
  assert.equal(sumOf(samples, "oddlink_ready"), 1);
  assert.ok(sumOf(samples, "oddlink_alerts_total", { severity: "High" }) > 0);
  assert.ok(sumOf(samples, "oddlink_epoch_adoptions_total") >= 2);
  assert.ok(sumOf(samples, "oddlink_graph_links") > 1000);
  assert.equal(
    sumOf(samples, "oddlink_alerts_total"),
    sumOf(samples, "oddlink_event_to_alert_seconds_count"),
  );
  for (const [name, { roles, where, type, help }] of Object.entries<MetricDefinition>(CATALOGUE)) {
    if (!roles.includes("worker") || where !== undefined) continue;
    assert.ok(text.includes(`# HELP ${PREFIX}${name} ${help}\n# TYPE ${PREFIX}${name} ${type}\n`), name);
  }
  // Health and metrics only: no page, no API, no alert.
  const status = async (path: string): Promise<number> => (await fetch(`${management}${path}`)).status;
  assert.deepEqual(await Promise.all(["/healthz", "/readyz", "/metrics"].map(status)), [200, 200, 200]);
  assert.deepEqual(
    await Promise.all(["/", "/api/v1/incidents", "/api/v1/events"].map(status)),
    [404, 404, 404],
  );
  // Names of the example, and of machines, are in none of them.
  assert.doesNotMatch(text, /DOM1|C17693|"U\d/);
});
