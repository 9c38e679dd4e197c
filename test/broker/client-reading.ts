import assert from "node:assert/strict";
import type { TestContext } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { type ErrorCode, OddlinkError } from "../../src/errors.ts";
import type { ConsumedRecord, KafkaClient } from "../../src/log/kafka/client.ts";
import { KafkajsClient } from "../../src/log/kafka/kafkajs/client.ts";
import type { KafkaClientOptions } from "../../src/log/kafka/kafkajs/connection.ts";

/** Both far more than is needed on a machine that has something else to do. */
export const TEST_MS_MAX = 120_000;
const LIMIT_MS = 45_000;

export function clientOf(t: TestContext, options: Omit<KafkaClientOptions, "clientId">): KafkaClient {
  const client = new KafkajsClient({ clientId: "test", ...options });
  t.after(() => client.close());
  return client;
}

export async function until(what: string, condition: () => boolean | Promise<boolean>): Promise<void> {
  const deadlineMs = Date.now() + LIMIT_MS;
  while (!(await condition())) {
    if (Date.now() > deadlineMs) assert.fail(`not within ${LIMIT_MS} ms: ${what}`);
    await sleep(10);
  }
}

export type Reading = {
  readonly values: string[];
  readonly records: ConsumedRecord[];
  readonly crashes: Error[];
  position: number;
};

const newReading = (): Reading => ({ values: [], records: [], crashes: [], position: 0 });

function add(reading: Reading, records: readonly ConsumedRecord[]): void {
  for (const record of records) {
    reading.records.push(record);
    reading.values.push(String(record.value));
  }
}

/** Reads partition 0 of a topic. */
export function readTail(client: KafkaClient, topic: string): Reading {
  const reading = newReading();
  client.tail({
    topic,
    onRecords: (partition, records, position) => {
      if (partition !== 0) return;
      add(reading, records);
      reading.position = position;
    },
    onCrash: (error) => reading.crashes.push(error),
  });
  return reading;
}

/** Reads partition 0 of a topic in a group; what came before and comes again is left out. */
export async function readGroup(client: KafkaClient, topic: string, group: string): Promise<Reading> {
  const reading = newReading();
  await client.join({
    group,
    topic,
    onAssigned: () => {},
    onRebalancing: async () => {},
    onRecords: (_, records) => {
      const fresh = records.filter(({ offset }) => offset >= reading.position);
      add(reading, fresh);
      reading.position = Math.max(reading.position, (fresh.at(-1)?.offset ?? -1) + 1);
    },
    onCrash: (error) => reading.crashes.push(error),
  });
  return reading;
}

export async function reachesEnd(client: KafkaClient, topic: string, reading: Reading): Promise<void> {
  const [offsets] = await client.topicOffsets(topic);
  await until(`the end of ${topic} is reached`, () => reading.position >= offsets!.high);
  assert.deepEqual(reading.crashes, []);
}

export function assertCode(error: unknown, code: ErrorCode): void {
  assert.ok(error instanceof OddlinkError, `${error}`);
  assert.equal(error.code, code, error.message);
}
