import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { EXAMPLE_FILE } from "../processes/oddlink.ts";
import { until, urlOf } from "./served-workers.ts";
import { sharedBroker } from "./shared-broker.ts";
import { WorkerCluster } from "./worker-cluster.ts";

const broker = sharedBroker();
/** All in one partition, or what is odd would depend on which of two is read first. */
const RECORDS = gunzipSync(readFileSync(EXAMPLE_FILE))
  .toString()
  .trimEnd()
  .split("\n")
  .map((value) => ({ key: "one", value }));

type Status = {
  readonly counts: { readonly alerts: number; readonly suppressed: number };
  readonly graph: { readonly links: number };
};
type Incidents = {
  readonly incidents: readonly {
    readonly uid: string;
    readonly alertCount: number;
    readonly suppression: { readonly id: string } | null;
  }[];
};

function tomorrow(): string {
  return new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
}

test("each worker shows the incidents of all of them, those from before it came included, and is ready once the graph is read", {
  timeout: 180_000,
}, async (t) => {
  const cluster = new WorkerCluster(t, await broker(), 2, {
    ODDLINK_INPUT_FORMAT: "lanl",
    ODDLINK_TRAINING_MODE: "off",
    // Every login is an alert, of whichever signal orders it first.
    ODDLINK_THRESHOLD: "1",
    ODDLINK_HTTP_PORT: "0",
    ODDLINK_SUPPRESSIONS: JSON.stringify([
      { id: "known", owner: "soc", reason: "a test", until: tomorrow(), match: { user: "U1*" } },
    ]),
  });
  await cluster.createTopics();
  const first = cluster.startWorker();
  const firstUrl = await urlOf(first);
  await until("readiness", async () => ((await fetch(`${firstUrl}/readyz`)).ok ? true : undefined));
  await cluster.produce(RECORDS);
  await cluster.drained(60_000);
  const statusOf = async (url: string): Promise<Status> =>
    (await (await fetch(`${url}/api/v1/status`)).json()) as Status;
  const { counts } = await statusOf(firstUrl);
  assert.ok(counts.suppressed > 0, "the rule holds for some");
  const raised = counts.alerts + counts.suppressed;
  // A commit is known to its group a moment before it can be read.
  const alerts = await until("all alerts", async () => {
    const found = (await cluster.read(cluster.topics.alerts)).flat();
    return found.length >= raised ? found : undefined;
  });
  const isSuppressed = ({ value }: (typeof alerts)[number]): boolean =>
    JSON.parse(String(value)).status_id === 3;
  const uidsOf = (some: typeof alerts) => new Set(some.map(({ key }) => String(key)));
  const suppressed = uidsOf(alerts.filter(isSuppressed));
  const uids = uidsOf(alerts.filter((alert) => !isSuppressed(alert)));
  assert.ok(uids.size > 1 && suppressed.size > 0, `${uids.size} incidents, ${suppressed.size} suppressed`);
  const second = cluster.startWorker();
  const secondUrl = await urlOf(second);
  for (const url of [firstUrl, secondUrl]) {
    const { incidents } = await until("all incidents", async () => {
      const found = (await (await fetch(`${url}/api/v1/incidents?limit=1000`)).json()) as Incidents;
      return found.incidents.length >= uids.size ? found : undefined;
    });
    assert.deepEqual(new Set(incidents.map(({ uid }) => uid)), uids);
    for (const { uid, alertCount } of incidents)
      assert.ok(alertCount >= alerts.filter(({ key }) => String(key) === uid).length, uid);
    // Told or not, all are of one topic: those that a rule suppressed are kept apart.
    const asked = await fetch(`${url}/api/v1/incidents?limit=1000&state=suppressed`);
    const kept = ((await asked.json()) as Incidents).incidents;
    assert.deepEqual(new Set(kept.map(({ uid }) => uid)), suppressed);
    assert.ok(kept.every(({ suppression }) => suppression?.id === "known"));
  }
  // The graph is the whole organisation's in both.
  await until("the second one's readiness", async () =>
    (await fetch(`${secondUrl}/readyz`)).ok ? true : undefined,
  );
  assert.equal((await statusOf(secondUrl)).graph.links, (await statusOf(firstUrl)).graph.links);
  await cluster.stop(first);
  await cluster.stop(second);
  await assert.rejects(fetch(`${firstUrl}/healthz`));
});
