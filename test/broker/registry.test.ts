import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import confluent from "@kafkajs/confluent-schema-registry";
import avsc from "avsc";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { SchemaRegistry } from "../../src/ingest/schema-registry.ts";
import { startApicurio } from "./apicurio.ts";

const LOGIN = {
  timeMs: 1_700_000_000_000,
  user: "ann",
  sourceHost: "pc",
  targetHost: "db",
  authType: "NTLM",
};
/** What a producer's own schema may look like. */
const EVENT_SCHEMA = {
  type: "record",
  name: "AuthEvent",
  namespace: "com.example",
  fields: [
    { name: "tags", type: { type: "map", values: "string" } },
    { name: "target_host", type: ["null", "string"], default: null },
    { name: "user", type: "string" },
    { name: "outcome", type: { type: "enum", name: "Result", symbols: ["SUCCESS", "FAILURE"] } },
    { name: "time_ms", type: { type: "long", logicalType: "timestamp-millis" } },
  ],
};

function message(id: number, body: Uint8Array): Buffer {
  const header = Buffer.alloc(5);
  header.writeUInt32BE(id, 1);
  return Buffer.concat([header, body]);
}

test("records whose schemas are in a real registry are read, and its outages are waited out", async (t) => {
  const apicurio = await startApicurio(t);
  const schemas = new SchemaRegistry({ url: apicurio.url, timeoutMs: 5_000 });
  const decoder = createDecoder("avro", { lanlStartMs: 0, schemas });
  const decode = async (bytes: Buffer) => {
    await decoder.prepare!(bytes, 0, bytes.length);
    const decoded = decoder.decode(bytes, 0, bytes.length);
    return decoded.kind === "login" ? decoded.login.toLogin() : decoded;
  };
  const ofLogin = {
    timeMs: LOGIN.timeMs,
    user: "ann",
    targetUser: "ann",
    sourceHost: "pc",
    targetHost: "db",
    authType: "NTLM",
    logonType: "",
    outcome: "unknown",
    evidence: "weak",
  };

  const id = await apicurio.register("logins-value", LOGIN_SCHEMA);
  const bytes = message(id, avsc.Type.forSchema(LOGIN_SCHEMA as avsc.schema.RecordType).toBuffer(LOGIN));
  await t.test("the published schema", async () => assert.deepEqual(await decode(bytes), ofLogin));

  await t.test("a schema of the producer's own", async () => {
    const eventId = await apicurio.register("events-value", EVENT_SCHEMA);
    const event = { tags: { a: "b" }, target_host: "db", user: "bob", outcome: "FAILURE", time_ms: 7 };
    const body = avsc.Type.forSchema(EVENT_SCHEMA as avsc.schema.RecordType).toBuffer(event);
    assert.deepEqual(await decode(message(eventId, body)), {
      timeMs: 7,
      user: "bob",
      targetUser: "bob",
      sourceHost: "",
      targetHost: "db",
      authType: "",
      logonType: "",
      outcome: "failure",
      evidence: "none",
    });
  });

  await t.test("another client writes what we read, and reads what we read", async () => {
    const other = new confluent.SchemaRegistry({ host: apicurio.url });
    const written = await other.encode(id, LOGIN);
    assert.deepEqual(written, bytes);
    assert.deepEqual(await decode(written), ofLogin);
    const read = (await other.decode(bytes)) as Record<string, unknown>;
    for (const [key, value] of Object.entries(LOGIN)) assert.equal(read[key], value);
    const { id: itsId } = await other.register(
      {
        type: confluent.SchemaType.AVRO,
        schema: JSON.stringify({ ...LOGIN_SCHEMA, namespace: "com.example.other" }),
      },
      { subject: "other-value" },
    );
    assert.notEqual(itsId, id);
    assert.deepEqual(await decode(await other.encode(itsId, LOGIN)), ofLogin);
  });

  await t.test("an id that is not there is a dead letter", async () => {
    const decoded = await decode(message(999, Buffer.alloc(3)));
    assert.ok("kind" in decoded && decoded.kind === "rejected");
    assert.equal(decoded.reason, "unknown-schema");
  });

  await t.test("JSON schemas and references are refused with a reason", async () => {
    const jsonSchema = { $schema: "http://json-schema.org/draft-07/schema#", type: "object" };
    const json = await apicurio.register("json-value", jsonSchema, { schemaType: "JSON" });
    await apicurio.register("part", { type: "record", name: "Part", fields: [] });
    const whole = { type: "record", name: "Whole", fields: [{ name: "part", type: "Part" }] };
    const references = [{ name: "Part", subject: "part", version: 1 }];
    const referring = await apicurio.register("whole-value", whole, { references });
    for (const [refused, why] of [
      [json, /JSON, not Avro/],
      [referring, /refers to other schemas/],
    ] as const) {
      const decoded = await decode(message(refused, Buffer.alloc(3)));
      assert.ok("kind" in decoded && decoded.kind === "rejected");
      assert.equal(decoded.reason, "unreadable-schema");
      assert.match(decoded.detail, why);
    }
  });

  await t.test("a wrong path is an outage, not a dead letter", async () => {
    const wrong = new SchemaRegistry({ url: apicurio.url.replace("/apis/ccompat/v7", ""), timeoutMs: 5_000 });
    await assert.rejects(wrong.find(id), { code: "SCHEMA_REGISTRY_UNREACHABLE" });
  });

  await t.test("while it is down what is known is read, and the rest waits until it is back", async (sub) => {
    const later = message(id + 1_000, bytes.subarray(5));
    await apicurio.stop();
    assert.deepEqual(await decode(bytes), ofLogin);
    await assert.rejects(decode(later), { code: "SCHEMA_REGISTRY_UNREACHABLE", retriable: true });
    await startApicurio(sub, Number(new URL(apicurio.url).port));
    const decoded = await decode(later);
    assert.ok("kind" in decoded && decoded.kind === "rejected");
    assert.equal(decoded.reason, "unknown-schema");
  });
});
