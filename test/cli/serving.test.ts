import assert from "node:assert/strict";
import { test } from "node:test";
import type { DetectionFinding } from "../../src/alerts/detection-finding.ts";
import { asShadow } from "../../src/alerts/shadow.ts";
import { storedFeed, topicFeed } from "../../src/cli/serving.ts";
import { Store } from "../../src/log/embedded/store.ts";
import type { KafkaClient, TailOptions } from "../../src/log/kafka/client.ts";
import { findingOf, SCANNER_RULE } from "../alerts/suppressed-findings.ts";
import { temporaryFolder } from "../processes/oddlink.ts";

/** The feed of an alerts topic that holds these values. */
function feedOf(values: readonly unknown[]) {
  let options: TailOptions | undefined;
  const client = {
    tail: (given: TailOptions) => {
      options = given;
      return { close: async () => {} };
    },
  };
  const { feed } = topicFeed(client as unknown as KafkaClient, "alerts", assert.fail);
  const records = values.map((value) => ({ value: Buffer.from(JSON.stringify(value)) }));
  options!.onRecords(0, records as unknown as Parameters<TailOptions["onRecords"]>[1], records.length);
  return feed;
}

test("of an alerts topic, what was told and what a rule suppressed are kept apart, and what is neither is left out", () => {
  const told = findingOf("told", "t1");
  const suppressed = findingOf("kept", "k1", { isSuppressed: true });
  const feed = feedOf([
    told,
    suppressed,
    asShadow(findingOf("shadow", "s1")),
    { ...told, finding_info: { ...told.finding_info, uid: "resolved" }, status_id: 4, status: "Resolved" },
    { ...suppressed, finding_info: { ...told.finding_info, uid: "bare" }, evidences: [] },
    { ...suppressed, finding_info: { ...told.finding_info, uid: "empty" }, evidences: [null] },
    null,
    "text",
  ]);
  assert.deepEqual(
    feed.list(10, "all").map(({ uid, suppression }) => [uid, suppression?.id]),
    [
      ["kept", SCANNER_RULE.id],
      ["told", undefined],
    ],
  );
});

test("of a store, the newest of both kinds are there, in the order in which they were raised", (t) => {
  const store = new Store(`${temporaryFolder(t)}/store.db`, true);
  t.after(() => store.close());
  store.addInput({ partition: 0, topic: "auth.txt", start: Buffer.from("1,") });
  const recordOf = (finding: DetectionFinding, offset: number) => ({
    ...{ uid: finding.metadata.uid, incidentUid: finding.finding_info.uid, timeMs: finding.time },
    ...{ signal: "presence", score: 1e-5, partition: 0, offset, finding: JSON.stringify(finding) },
    ...(finding.status_id === 3 && { suppressedBy: SCANNER_RULE.id }),
  });
  const findings = [
    findingOf("a", "a1"),
    findingOf("s", "s1", { isSuppressed: true }),
    findingOf("b", "b1"),
    findingOf("s", "s2", { isSuppressed: true }),
  ];
  store.commit(
    {
      ...{ partition: 0, position: { offset: 4, bytes: 1 }, scoredLogins: [], deadLetters: [] },
      ...{ graphState: [], epochs: [], totals: "{}", alerts: findings.map(recordOf) },
    },
    {},
  );
  const feed = storedFeed(store);
  const listed = feed.list(10, "all").map(({ uid, suppression }) => [uid, suppression?.id]);
  assert.deepEqual(listed, [
    ["s", SCANNER_RULE.id],
    ["b", undefined],
    ["a", undefined],
  ]);
});
