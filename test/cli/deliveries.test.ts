import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { consumedDelivery } from "../../src/cli/deliveries.ts";
import type { ConsumedRecord } from "../../src/log/kafka/client.ts";

test("an alert of the topic is delivered unless a rule suppresses it, or it is none", () => {
  const headers = { ce_id: Buffer.from("uid"), ce_time: Buffer.from("2027-01-01T00:00:00.000Z") };
  const record = (more: Partial<ConsumedRecord>): ConsumedRecord => ({
    offset: 0,
    key: null,
    value: Buffer.from("{}"),
    headers,
    timestampMs: 0,
    ...more,
  });
  assert.equal(consumedDelivery(record({}))!.uid, "uid");
  const suppressed = { ...headers, "oddlink-suppressed-by": Buffer.from("scanner") };
  assert.equal(consumedDelivery(record({ headers: suppressed })), undefined);
  assert.equal(consumedDelivery(record({ headers: {} })), undefined);
});
