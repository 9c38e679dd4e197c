import assert from "node:assert/strict";
import { test } from "node:test";
import { toFinding } from "../../src/alerts/finding.ts";
import { IncidentFeed } from "../../src/console/incident-feed.ts";
import { STOLEN } from "../alerts/odd-logins.ts";

const FINDING = toFinding(STOLEN);

function alert(incident: string, uid: string, changes: Partial<typeof FINDING> = {}) {
  return {
    ...FINDING,
    ...changes,
    metadata: { ...FINDING.metadata, uid },
    finding_info: { ...FINDING.finding_info, uid: incident },
  };
}

test("an incident spans its alerts, whatever order they come in", () => {
  const feed = new IncidentFeed();
  feed.add(alert("i", "b", { count: 2, time: 20, start_time: 10 }));
  feed.add(alert("i", "a", { count: 1, time: 10, start_time: 10 }));
  feed.add(alert("i", "b", { count: 2, time: 20, start_time: 10 }));
  const { alertCount, firstMs, lastMs, alerts } = feed.find("i")!;
  assert.deepEqual({ alertCount, firstMs, lastMs }, { alertCount: 2, firstMs: 10, lastMs: 20 });
  assert.equal(alerts.length, 2);
});

test("only the newest are kept, of incidents, and of the alerts of one", () => {
  const feed = new IncidentFeed();
  for (let i = 0; i < 10_050; i++) feed.add(alert(`i${i}`, `a${i}`));
  assert.equal(feed.size, 10_000);
  assert.equal(feed.find("i49"), undefined);
  assert.equal(feed.list(1)[0]!.uid, "i10049");
  for (let i = 0; i < 100; i++) feed.add(alert("many", `m${i}`, { count: i + 1 }));
  const many = feed.find("many")!;
  assert.equal(many.alertCount, 100);
  assert.deepEqual([many.alerts.length, many.alerts.at(-1)!.metadata.uid], [20, "m99"]);
});
