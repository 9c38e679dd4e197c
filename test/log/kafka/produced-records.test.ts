import assert from "node:assert/strict";
import { test } from "node:test";
import { producedRecords, SUPPRESSED_BY, TOPIC_NAMES } from "../../../src/log/kafka/produced-records.ts";

test("a suppressed alert goes to the topic of alerts with the rule's id in its headers, another one without", () => {
  const alert = {
    uid: "a".repeat(32),
    incidentUid: "b".repeat(32),
    timeMs: 1000,
    signal: "presence",
    score: 1e-10,
    partition: 0,
    offset: 7,
    finding: "{}",
  };
  const records = producedRecords(
    {
      partition: 0,
      position: { offset: 9, bytes: 0 },
      alerts: [alert, { ...alert, offset: 8, suppressedBy: "scanner" }],
      scoredLogins: [],
      deadLetters: [],
      graphState: [],
      epochs: [],
      totals: "{}",
    },
    TOPIC_NAMES,
  );
  assert.deepEqual(
    [...records].map(({ topic, headers }) => [topic, headers?.[SUPPRESSED_BY]]),
    [
      ["alerts", undefined],
      ["alerts", "scanner"],
    ],
  );
});
