import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { readDeadLetter, replayedRecord } from "../../../src/log/kafka/replay.ts";

function letter(headers: Readonly<Record<string, string>>) {
  return readDeadLetter({
    offset: 7,
    timestampMs: 0,
    key: Buffer.from("key"),
    value: Buffer.from([0, 255]),
    headers,
  });
}
const ORIGIN = { "oddlink-source-topic": "logins", "oddlink-source-partition": "2" };

test("a dead letter goes back as it is, to the partition it came from", () => {
  const { record } = letter(ORIGIN);
  assert.deepEqual(replayedRecord(letter(ORIGIN), 4, "logins", 3), {
    topic: "logins",
    partition: 2,
    key: record.key,
    value: record.value,
    headers: { "oddlink-replayed-from": "4/7" },
  });
});

test("to another topic, or if there is no such partition any more, the key decides", () => {
  assert.equal("partition" in replayedRecord(letter(ORIGIN), 4, "other", 3), false);
  assert.equal("partition" in replayedRecord(letter(ORIGIN), 4, "logins", 2), false);
  assert.equal("partition" in replayedRecord(letter({}), 4, "logins", 3), false);
});

test("headers that somebody else wrote are no reason, no partition and no trouble", () => {
  const { reason, sourceTopic, sourcePartition, isReplayed } = letter({
    "oddlink-reason": "\u001b[2J",
    "oddlink-source-partition": "-1",
  });
  assert.deepEqual(
    [reason, sourceTopic, sourcePartition, isReplayed],
    ["unknown", undefined, undefined, false],
  );
  assert.equal(letter({ "oddlink-reason": "invalid-time" }).reason, "invalid-time");
  assert.equal(letter({ "oddlink-replayed-from": "0/1" }).isReplayed, true);
});
