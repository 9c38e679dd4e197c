import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import { createServer } from "node:net";
import { test } from "node:test";
import { gzipSync } from "node:zlib";
import { consumedDelivery } from "../../src/cli/deliveries.ts";
import { topicFeed } from "../../src/cli/serving.ts";
import { deliver, noSinkCounts, type Sink } from "../../src/delivery/sink.ts";
import { Syslog } from "../../src/delivery/syslog.ts";
import { Webhook } from "../../src/delivery/webhook.ts";
import type { ConsumedRecord, KafkaClient, TailOptions } from "../../src/log/kafka/client.ts";
import { KafkaBatch } from "../../src/log/kafka/kafka-batch.ts";
import { decodeRecordBatch, HEADERS_MAX } from "../../src/log/kafka/kafkajs/record-batch.ts";
import { findingOf } from "../alerts/suppressed-findings.ts";
import { get, stage } from "../console/console-stage.ts";
import { webhookServer } from "../delivery/webhook-server.ts";

const RECORDS_AT = 61;

function recordWith(headers: Readonly<Record<string, string>>, value = "{}"): ConsumedRecord {
  return {
    offset: 7,
    key: null,
    value: Buffer.from(value),
    timestampMs: 0,
    headers: Object.fromEntries(Object.entries(headers).map(([name, text]) => [name, Buffer.from(text)])),
  };
}

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value >= 0 ? value * 2 : -value * 2 - 1;
  for (; rest >= 128; rest = Math.floor(rest / 128)) bytes.push((rest % 128) | 128);
  return [...bytes, rest];
}

/** A batch of one record with these headers, compressed. */
function batchOf(names: readonly string[]): Buffer {
  const headers = names.flatMap((name) => [...varint(name.length), ...Buffer.from(name), ...varint(1), 0x78]);
  const record = [0, 0, 0, ...varint(-1), ...varint(-1), ...varint(names.length), ...headers];
  const body = gzipSync(Buffer.from([...varint(record.length), ...record]));
  const batch = Buffer.alloc(RECORDS_AT + body.length);
  batch.writeInt32BE(batch.length - 12, 8);
  batch[16] = 2;
  batch.writeInt16BE(1, 21);
  batch.writeInt32BE(1, 57);
  body.copy(batch, RECORDS_AT);
  return batch;
}

test("of a flood of headers only so many are kept, and names of what objects have are names", async () => {
  const names = ["__proto__", "constructor", ...Array.from({ length: 50_000 }, (_, i) => `h${i}`)];
  const { records } = (await decodeRecordBatch(batchOf(names), 0))!;
  const headers = records[0]!.headers;
  assert.equal(Object.keys(headers).length, HEADERS_MAX);
  assert.equal(Object.getPrototypeOf(headers), Object.prototype);
  assert.equal(Object.getOwnPropertyDescriptor(headers, "__proto__")?.value.toString(), "x");
  assert.equal(({} as Record<string, unknown>)["h1"], undefined);
});

test("headers that come back in what is written are short, or none", () => {
  const batch = (headers: Readonly<Record<string, string>>) => new KafkaBatch([recordWith(headers)], 1000);
  assert.equal(batch({ "oddlink-canary": "abc-1" }).canaryOf(0), "abc-1");
  for (const text of ["x".repeat(1_000_000), "two words", "é", ""])
    assert.equal(batch({ "oddlink-canary": text }).canaryOf(0), undefined);
  assert.equal(batch({ "oddlink-replayed-from": "3/17" }).metadataOf(0).replayedFrom, "3/17");
  for (const text of ["9".repeat(1_000_000), "3/x", "x".repeat(1_000_000)])
    assert.equal(batch({ "oddlink-replayed-from": text }).metadataOf(0).replayedFrom, undefined);
});

const ALERT_HEADERS = { ce_id: "uid", ce_time: "2027-01-01T00:00:00.000Z" };

test("what others write into the topic of alerts is sent nowhere, or refused, and holds up no alert", async (t) => {
  for (const [name, text] of [
    ["ce_id", "a\r\nx-evil: 1"],
    ["ce_source", "é"],
    ["ce_type", "x".repeat(1001)],
    ["content-type", "text/plain\n"],
  ] as const)
    assert.equal(consumedDelivery(recordWith({ ...ALERT_HEADERS, [name]: text })), undefined, name);

  const collector = createServer((socket) => socket.resume()).listen(0, "127.0.0.1");
  await once(collector, "listening");
  t.after(() => collector.close());
  const { port } = collector.address() as { port: number };
  const server = await webhookServer(t);
  const options = { name: "one", timeoutMs: 2000 };
  const sinks: Sink[] = [
    new Syslog({ ...options, host: "127.0.0.1", port, tls: undefined, format: "cef", facility: 10 }),
    new Syslog({ ...options, host: "127.0.0.1", port, tls: undefined, format: "json", facility: 10 }),
    new Webhook({ ...options, url: server.url, body: "text" }),
  ];
  const deep = "[".repeat(100_000) + "]".repeat(100_000);
  for (const sink of sinks) {
    const counts = noSinkCounts();
    for (const body of ["no JSON", "null", "5", '"text"', "{", deep, '{"evidences":[{}]}']) {
      const delivery = consumedDelivery(recordWith(ALERT_HEADERS, body))!;
      const signal = AbortSignal.timeout(3000);
      await deliver(delivery, { sink, counts, signal, onTrouble: () => {}, retryMsMin: 1 });
    }
    assert.equal(counts.failedAttempts, 0, sink.name);
    // What syslog passes on as it is, it does not judge.
    assert.ok(counts.refused >= 3, `${sink.name}: ${JSON.stringify(counts)}`);
    const alert = consumedDelivery(recordWith(ALERT_HEADERS, JSON.stringify(findingOf("told", "t1"))))!;
    await deliver(alert, { sink, counts, signal: AbortSignal.timeout(3000), onTrouble: assert.fail });
    sink.close();
  }
});

test("findings that others made up do not keep anybody from seeing those that are", async (t) => {
  let options: TailOptions | undefined;
  const client = {
    tail: (given: TailOptions) => {
      options = given;
      return { close: async () => {} };
    },
  } as unknown as KafkaClient;
  const { feed } = topicFeed(client, "alerts", assert.fail);
  const told = findingOf("told", "t1");
  let count = 0;
  const made = (changes: object, info: object = {}) => ({
    ...told,
    metadata: { ...told.metadata, uid: `made ${++count}` },
    ...changes,
    finding_info: { ...told.finding_info, uid: `made-${count}`, ...info },
  });
  const values = [
    told,
    made({}, { title: { x: 1 } }),
    made({}, { title: undefined }),
    made({ severity: 5 }),
    made({ evidences: [] }),
    made({ evidences: "text" }),
    made({ evidences: [7] }),
    made({ evidences: [{ actor: {}, src_endpoint: { name: 5 } }] }),
    made({ evidences: [{ actor: 5 }] }),
    made({ evidences: undefined }),
    made({ metadata: { uid: "made", labels: 5 } }),
    made({ start_time: "x" }),
  ];
  const records = values.map((value) => ({ value: Buffer.from(JSON.stringify(value)) }));
  options!.onRecords(0, records as unknown as Parameters<TailOptions["onRecords"]>[1], records.length);
  const { console } = await stage(t, { feed });
  const list = await get(`${console.url}/api/v1/incidents?state=all`);
  assert.equal(list.status, 200, JSON.stringify(list.body));
  for (const { uid } of list.body["incidents"] as { uid: string }[])
    assert.equal((await get(`${console.url}/api/v1/incidents/${uid}`)).status, 200, uid);
  assert.ok((list.body["incidents"] as { uid: string }[]).some(({ uid }) => uid === told.finding_info.uid));
});
