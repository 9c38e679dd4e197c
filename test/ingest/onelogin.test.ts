import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("logins without a time are rejected, what is no login is ignored, each record", () => {
  const lines = decodeSample("onelogin-events.jsonl", "onelogin");
  assertGolden("onelogin-events", lines);
  assert.deepEqual(countsOf(lines), { "ignored not-a-login": 11, "rejected invalid-time": 5 });
});

// Written by hand after the published shape, as those of the sample have no time.
const EVENT = {
  id: 1234567890,
  created_at: "2026-03-01T10:00:00.000Z",
  account_id: 22348,
  user_id: 123456,
  user_name: "Ann Lee",
  event_type_id: 5,
  ipaddr: "203.0.113.7",
  actor_user_id: 123456,
  actor_user_name: "Ann Lee",
  actor_system: "",
  app_id: null,
  app_name: null,
  authentication_factor_description: null,
  uuid: null,
};

function decoded(changes: object = {}): string {
  return decodedRecord({ ...EVENT, ...changes });
}

function decodedRecord(record: object): string {
  const bytes = Buffer.from(JSON.stringify(record));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

test("a login to OneLogin is one, in both shapes", () => {
  const expected = {
    timeMs: Date.UTC(2026, 2, 1, 10),
    user: "ann lee",
    targetUser: "ann lee",
    sourceHost: "203.0.113.7",
    targetHost: "onelogin",
    authType: "",
    logonType: "",
    outcome: "success",
    evidence: "none",
    uid: "1234567890",
  };
  assert.equal(decoded(), `login ${JSON.stringify(expected)}`);
  const uuid = "9d224e9b-df65-4328-ac4d-ac4a36c0fbd9";
  const event = { ...EVENT, id: undefined, created_at: undefined, uuid, event_type_id: "5" };
  const broadcast = (event_timestamp: string) => decodedRecord({ event: { ...event, event_timestamp } });
  const sent = `login ${JSON.stringify({ ...expected, uid: uuid })}`;
  assert.equal(broadcast("2026-03-01 10:00:00 UTC"), sent);
  assert.equal(broadcast("2026-03-01 15:30:00+0530"), sent);
});

test("the actor acts, the user is logged in; the system is no actor", () => {
  const users = (changes: object) =>
    decoded(changes)
      .match(/"user":"([^"]*)","targetUser":"([^"]*)"/)
      ?.slice(1);
  assert.deepEqual(users({ event_type_id: "3", actor_user_name: " Lion" }), ["lion", "ann lee"]);
  assert.deepEqual(users({ event_type_id: 8, actor_user_name: null }), ["ann lee", "ann lee"]);
  const system = { actor_user_name: "OneLogin::Provisioning", actor_system: "OneLogin::Provisioning" };
  assert.deepEqual(users(system), ["ann lee", "ann lee"]);
  assert.deepEqual(users({ user_name: null, actor_user_name: null }), ["123456", "123456"]);
  assert.match(decoded({ user_name: "", user_id: null, actor_user_name: null }), /^rejected no-user/);
});

test("the type says what became of it, and by which protocol", () => {
  const login = (event_type_id: unknown) =>
    decoded({ event_type_id })
      .match(/"authType":"(\w*)".*"outcome":"(\w+)","evidence":"(\w+)"/)
      ?.slice(1);
  assert.deepEqual(login("6"), ["", "failure", "none"]);
  assert.deepEqual(login(68), ["RADIUS", "success", "weak"]);
  assert.deepEqual(login(69), ["RADIUS", "failure", "weak"]);
  assert.deepEqual(login(122), ["API", "success", "none"]);
  assert.deepEqual(login(123), ["API", "failure", "none"]);
  assert.deepEqual(login(129), ["LDAP", "failure", "weak"]);
  assert.deepEqual(login(130), ["LDAP", "success", "weak"]);
  assert.match(
    decoded({ event_type_id: 8, app_name: "Confluence", authentication_factor_description: "OTP" }),
    /"targetHost":"confluence","authType":"OTP".*"evidence":"none"/,
  );
});

test("what is no login is ignored with a reason, and what says no type rejected", () => {
  assert.equal(decoded({ event_type_id: 7 }), "ignored log-off");
  assert.equal(decoded({ event_type_id: "29" }), "ignored log-off");
  assert.equal(decoded({ event_type_id: 11 }), "ignored not-a-login");
  assert.equal(decoded({ event_type_id: "constructor" }), "ignored not-a-login");
  assert.equal(decoded({ event_type_id: null }), "rejected unknown-event: no event_type_id");
});
