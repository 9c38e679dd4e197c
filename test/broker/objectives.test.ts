import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { gunzipSync } from "node:zlib";
import { sumOf } from "../metrics/samples.ts";
import { startMonitoring } from "../monitoring/prometheus.ts";
import { EXAMPLE_FILE, ended } from "../processes/oddlink.ts";
import { managementOf, scrape, until } from "./served-workers.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const RULES = ["indicators", "slos", "alerts"].map((name) =>
  join(import.meta.dirname, "..", "..", "monitoring", "rules", `${name}.yaml`),
);
const TEST_MS_MAX = 400_000;
/** For so long all is well before the worker is killed. */
const WELL_MS = 15_000;
/** What lasts for less than a minute is no outage: a partition that is handed over looks like one for a moment. */
const PAGE_MS_MAX = 150_000;

test("a worker is killed: Prometheus finds the objective of availability at risk, and Alertmanager pages, with what to do", {
  timeout: TEST_MS_MAX,
}, async (t) => {
  const cluster = new WorkerCluster(t, await sharedBroker()(), 2, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    ODDLINK_HTTP_ENABLED: "false",
    ODDLINK_MANAGEMENT_PORT: "0",
    ODDLINK_KAFKA_GROUP: "objectives",
    ODDLINK_KAFKA_TOPICPREFIX: "objectives.",
    ODDLINK_CANARY_EVERYSECONDS: "1",
    // Whether it is found is asked here; how soon, on a machine that does much else, is not.
    ODDLINK_CANARY_DEADLINESECONDS: "60",
  });
  await cluster.createTopics();
  await cluster.produce(
    gunzipSync(readFileSync(EXAMPLE_FILE))
      .toString()
      .trimEnd()
      .split("\n")
      .map((value) => ({ key: value.split(",")[1]!, value })),
  );
  const worker = cluster.startWorker({}, TEST_MS_MAX);
  const workerUrl = await managementOf(worker);
  await cluster.drained(60_000);
  const canary = cluster.start(["canary"], {}, TEST_MS_MAX);
  const canaryUrl = await managementOf(canary);
  await until("a worker that is well, and a canary that is found", async () => {
    const [own, synthetic] = await Promise.all([scrape(workerUrl), scrape(canaryUrl)]);
    const isWell =
      sumOf(own, "oddlink_input_partitions") === 2 && sumOf(own, "oddlink_partitions_ready") === 2;
    return isWell && sumOf(synthetic, "oddlink_canary_logins_total", { outcome: "detected" }) > 0
      ? true
      : undefined;
  });

  const startedMs = Date.now();
  const timeline: string[] = [];
  const note = (what: string, atMs = Date.now()): void => {
    timeline.push(`${((atMs - startedMs) / 1000).toFixed(1)} s: ${what}`);
  };
  const targets = [workerUrl, canaryUrl].map((url) => new URL(url).host);
  const monitoring = await startMonitoring(t, { targets, rules: RULES });
  const latest = async (expression: string): Promise<number | undefined> =>
    (await monitoring.query(expression))[0]?.value;
  await until(
    "Prometheus has scraped and recorded",
    async () => ((await latest("oddlink:unavailable:bool")) === 0 ? true : undefined),
    PAGE_MS_MAX,
  ).catch((error: Error) => assert.fail(`${error.message}: ${monitoring.said()}`));
  note("Prometheus has scraped the worker and finds it available");
  await sleep(WELL_MS);
  assert.equal(await latest('slo:sli_error:ratio_rate5m{sloth_slo="availability"}'), 0);
  assert.equal(await latest('slo:sli_error:ratio_rate5m{sloth_slo="completeness"}'), 0);
  assert.equal(await latest('slo:sli_error:ratio_rate5m{sloth_slo="detection"}'), 0);
  assert.deepEqual(monitoring.delivered, [], "nobody is paged while all is well");
  note("no objective is at risk");

  const gone = ended(worker.process);
  worker.process.kill("SIGKILL");
  await gone;
  const killedMs = Date.now();
  note("the worker is killed", killedMs);
  await until("Prometheus to notice", async () =>
    (await latest("oddlink:unavailable_now:bool")) === 1 ? true : undefined,
  );
  note("Prometheus finds that nobody reads the logins");
  const page = await until(
    "a page",
    async () => monitoring.delivered.find(({ labels }) => labels["sloth_slo"] === "availability"),
    PAGE_MS_MAX,
  ).catch(async (error: Error) =>
    assert.fail(
      `${error.message}: ${JSON.stringify(await monitoring.query("ALERTS"))} ${JSON.stringify(monitoring.delivered)} ${monitoring.said()}`,
    ),
  );
  note("Alertmanager has delivered the page", page.atMs);
  t.diagnostic(timeline.join("; "));
  assert.equal(page.status, "firing");
  assert.equal(page.labels["alertname"], "OddlinkAvailability");
  assert.equal(page.labels["severity"], "page");
  assert.equal(page.annotations["runbook_url"], "docs/runbooks.md#oddlinkavailability");

  // What another worker does about it is seen too: nobody is to believe that it goes on.
  const second = cluster.startWorker({}, TEST_MS_MAX);
  await managementOf(second);
  canary.process.kill("SIGTERM");
  assert.equal(await ended(canary.process), 0);
  await until("the partitions to be read again", async () => {
    const url = await managementOf(second);
    return sumOf(await scrape(url), "oddlink_partitions_ready") === 2 ? true : undefined;
  });
  await cluster.stop(second);
});
