import assert from "node:assert/strict";
import { test } from "node:test";
import { toFinding } from "../../src/alerts/finding.ts";
import { asShadow } from "../../src/alerts/shadow.ts";
import { type FeedState, IncidentFeed, SUPPRESSED_MAX } from "../../src/console/incident-feed.ts";
import { STOLEN } from "../alerts/odd-logins.ts";
import { findingOf, SCANNER_RULE } from "../alerts/suppressed-findings.ts";

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
  assert.equal(feed.size(), 10_000);
  assert.equal(feed.find("i49"), undefined);
  assert.equal(feed.list(1)[0]!.uid, "i10049");
  for (let i = 0; i < 100; i++) feed.add(alert("many", `m${i}`, { count: i + 1 }));
  const many = feed.find("many")!;
  assert.equal(many.alertCount, 100);
  assert.deepEqual([many.alerts.length, many.alerts.at(-1)!.metadata.uid], [20, "m99"]);
});

test("what a rule suppresses is kept beside what was told, marked, and in one order with it when both are asked for", () => {
  const feed = new IncidentFeed();
  feed.add(findingOf("a", "a1"));
  feed.add(findingOf("s", "s1", { isSuppressed: true }));
  feed.add(findingOf("b", "b1"));
  feed.add(findingOf("a", "a2"));
  const uids = (state: FeedState, offset = 0) => feed.list(10, state, offset).map(({ uid }) => uid);
  assert.deepEqual(uids("told"), ["a", "b"]);
  assert.deepEqual(uids("suppressed"), ["s"]);
  assert.deepEqual(uids("all"), ["a", "b", "s"]);
  assert.deepEqual(uids("all", 1), ["b", "s"]);
  assert.deepEqual(feed.find("s")!.suppression, SCANNER_RULE);
  assert.equal(feed.find("a")!.suppression, undefined);
  assert.deepEqual([feed.size(), feed.size("suppressed"), feed.size("all")], [2, 1, 3]);
});

test("a rule that suppresses very much pushes nothing out that was told, neither of the list nor of what is told again", () => {
  const feed = new IncidentFeed();
  feed.add(findingOf("a", "a1"));
  feed.add(findingOf("b", "b1"));
  for (let i = 0; i < SUPPRESSED_MAX + 50; i++) feed.add(findingOf(`s${i}`, `s${i}`, { isSuppressed: true }));
  assert.equal(feed.size("suppressed"), SUPPRESSED_MAX);
  assert.equal(feed.find("s49"), undefined);
  assert.equal(feed.size("told"), 2);
  assert.deepEqual(
    feed.since("a1").map(({ id }) => id),
    ["b1"],
  );
});

test("what an epoch in the shadow would have raised is no incident of either kind", () => {
  const feed = new IncidentFeed();
  feed.add(asShadow(findingOf("a", "a1")));
  feed.add(asShadow(findingOf("s", "s1", { isSuppressed: true })));
  assert.equal(feed.size("all"), 0);
});
