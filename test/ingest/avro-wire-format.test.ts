import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { LOGIN_SCHEMA } from "../../src/ingest/formats/avro-login.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { decodeNow, decoderOf, KnownSchemas, LOGIN, message, PUBLISHED, reasonOf } from "./avro-messages.ts";

for (const [what, bytes] of Object.entries({
  nothing: [],
  "one byte": [0],
  "a header cut short": [0, 0, 0, 0],
  "a schema GUID": [1, ...new Array(30).fill(7)],
  JSON: [...Buffer.from('{"timeMs":1}')],
  "another magic byte": [255, 0, 0, 0, 1, 2, 3],
})) {
  test(`${what} is no wire format that is read`, () => {
    const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA));
    assert.equal(reasonOf(decodeNow(decoder, Buffer.from(bytes))), "unknown-wire-format");
  });
}

test("ids that no registry gives are unknown without asking", () => {
  const asks = () => assert.fail("was asked for");
  const decoder = decoderOf({ peek: asks, find: asks });
  for (const id of [0, 0x8000_0000, 0xffff_ffff]) {
    assert.equal(reasonOf(decodeNow(decoder, message(id, Buffer.alloc(3)))), "unknown-schema");
  }
});

test("auto recognises Avro once there is a registry, next to text", () => {
  const bytes = message(1, PUBLISHED.toBuffer(LOGIN));
  const text = Buffer.from(JSON.stringify(LOGIN));
  const decoder = decoderOf(new KnownSchemas(LOGIN_SCHEMA), "auto");
  for (let i = 0; i < 3; i++) {
    assert.equal(decodeNow(decoder, bytes).kind, "login");
    assert.equal(decodeNow(decoder, text).kind, "login");
  }
  assert.equal(decoder.isBinary!(bytes, 0, bytes.length), true);
  assert.equal(decoder.isBinary!(text, 0, text.length), false);
  assert.equal(reasonOf(decodeNow(decoder, Buffer.from([0, 1]))), "invalid-json");
  assert.equal(decodeNow(decoder, bytes).kind, "login");
  assert.equal(reasonOf(decodeNow(decoder, Buffer.from([0, 1]))), "unknown-wire-format");

  const without = createDecoder("auto", { lanlStartMs: 0 });
  assert.equal(reasonOf(decodeNow(without, bytes)), "unknown-format");
  assert.equal(without.isBinary!(bytes, 0, bytes.length), false);
});
