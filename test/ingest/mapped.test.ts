import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import fc from "fast-check";
import { parse } from "yaml";
import { EXAMPLE_MAPPING } from "../../scripts/formats.ts";
import { configSchema } from "../../src/config/schema.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { mappingSchema } from "../../src/ingest/formats/mapping.ts";
import { textOfDecoded } from "./samples.ts";

const { input } = configSchema.parse(parse(EXAMPLE_MAPPING));
const RECORD = {
  product: "acme-vpn",
  id: 17,
  ts: 1772359200.25,
  event: { action: "connect" },
  account: { name: "Ann", realm: "corp.example" },
  device: { name: "" },
  client: { ip: "203.0.113.7" },
  method: "certificate",
  mfa: true,
};

function decoded(record: unknown, format = "auto", mappings = input.mappings): string {
  const bytes = Buffer.from(typeof record === "string" ? record : JSON.stringify(record));
  return textOfDecoded(createDecoder(format, { lanlStartMs: 0, mappings }).decode(bytes, 0, bytes.length));
}

test("the example of the docs reads a record as it says", () => {
  const expected = {
    timeMs: 1772359200250,
    user: "ann@corp",
    targetUser: "ann@corp",
    sourceHost: "203.0.113.7",
    targetHost: "vpn",
    authType: "certificate",
    logonType: "",
    outcome: "success",
    evidence: "strong",
    uid: "17",
  };
  for (const format of ["auto", "mapped"])
    assert.equal(decoded(RECORD, format), `login ${JSON.stringify(expected)}`);
});

test("a path may lead into lists", () => {
  const [mapping] = input.mappings;
  const other = mappingSchema.parse({
    ...mapping,
    logins: [{ path: "events[1].name", is: ["connect"] }],
    fields: { ...mapping!.fields, user: "people[0].id", sourceHost: { path: ["hosts[5].name", "hosts[0]"] } },
  });
  const record = {
    ...RECORD,
    events: [{ name: "begin" }, { name: "connect" }],
    people: [{ id: "Bob" }],
    hosts: ["PC7.corp"],
  };
  const text = decoded(record, "auto", [other]);
  assert.match(text, /^login .*"user":"bob",.*"sourceHost":"pc7"/);
  assert.equal(decoded({ ...record, events: [] }, "auto", [other]), "ignored not-a-login");
});

test("values stand for other texts, and what none stands for for otherwise", () => {
  assert.match(
    decoded({ ...RECORD, event: { action: "refuse" }, mfa: "no" }),
    /"outcome":"failure","evidence":"none"/,
  );
  // Nothing of an object's own may be taken for a value.
  const other = mappingSchema.parse({
    ...input.mappings[0],
    logins: [],
    fields: { ...input.mappings[0]!.fields, authType: { path: "method", values: { a: "b" } } },
  });
  assert.match(decoded({ ...RECORD, method: "toString" }, "auto", [other]), /"authType":""/);
});

test("keys may be written as one with dots, and in letters of any case", () => {
  const { account: _account, event: _event, ...others } = RECORD;
  const flat = { ...others, "Account.Name": "Bob", "account.realm": "corp", "event.action": "connect" };
  assert.match(decoded(flat), /^login .*"user":"bob@corp"/);
});

test("a record of the format that is neither login nor evidence is ignored, one of another format is none of it", () => {
  assert.equal(decoded({ ...RECORD, event: { action: "rekey" } }), "ignored not-a-login");
  assert.match(
    decoded({ ...RECORD, product: "other" }, "mapped"),
    /^rejected unknown-format: no known format \(vpn\)/,
  );
  const shown = mappingSchema.parse({
    ...input.mappings[0],
    evidence: [{ path: "event.action", is: ["rekey"] }],
  });
  assert.match(
    decoded({ ...RECORD, event: { action: "rekey" } }, "auto", [shown]),
    /^evidence .*"sourceHost":"203/,
  );
});

test("a record without time or user is rejected with the reason", () => {
  assert.match(decoded({ ...RECORD, ts: "noon" }), /^rejected invalid-time/);
  assert.match(decoded({ ...RECORD, account: null }), /^rejected no-user/);
  assert.match(decoded({ ...RECORD, method: "x".repeat(300) }), /^rejected name-too-long/);
});

test("a mapping that can't be right is refused with where and why", () => {
  const wrong = (change: object): string => {
    const result = configSchema.safeParse({ input: { mappings: [{ ...input.mappings[0], ...change }] } });
    return result.error?.issues.map(({ path, message }) => `${path.join(".")}: ${message}`).join() ?? "";
  };
  assert.match(wrong({ where: [] }), /^input.mappings.0.where/);
  assert.match(wrong({ name: "My VPN" }), /^input.mappings.0.name: expected small letters/);
  const { fields } = input.mappings[0]!;
  assert.match(
    wrong({ fields: { ...fields, outcome: { constant: "won" } } }),
    /fields.outcome: values are unknown, success, failure/,
  );
  assert.match(wrong({ fields: { ...fields, users: "a" } }), /fields/);
  assert.match(
    configSchema.safeParse({ input: { format: "mapped" } }).error!.issues[0]!.message,
    /format mapped needs input.mappings/,
  );
});

test("no JSON makes it throw", () => {
  fc.assert(
    fc.property(fc.json(), fc.jsonValue(), (text, value) => {
      decoded(text, "mapped");
      decoded({ ...RECORD, ts: value, account: value, event: value, client: value }, "mapped");
      decoded({ ...RECORD, account: { name: value, realm: value }, mfa: value, id: value }, "mapped");
    }),
    { numRuns: 300 },
  );
});
