import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("the audit log of Microsoft 365 is read as the golden file says, each record", () => {
  const lines = decodeSample("panther-m365.jsonl", "m365");
  assertGolden("panther-m365", lines);
  assert.deepEqual(countsOf(lines), { login: 1, "ignored not-a-login": 1 });
});

const RECORD = {
  CreationTime: "2026-03-01T10:00:00",
  Id: "r1",
  Operation: "UserLoggedIn",
  RecordType: 15,
  ResultStatus: "Success",
  UserKey: "u1",
  UserId: "Ann@Corp.Example",
  ClientIP: "203.0.113.7",
  Workload: "AzureActiveDirectory",
  ApplicationId: "A1",
  ExtendedProperties: [
    { Name: "UserAgent", Value: "Mozilla/5.0" },
    { Name: "RequestType", Value: "Login:login" },
  ],
};

function decodedRecord(record: object): string {
  const bytes = Buffer.from(JSON.stringify(record));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const decoded = (changes: object = {}) => decodedRecord({ ...RECORD, ...changes });
const sourceOf = (changes: object) => /"sourceHost":"([^"]*)"/.exec(decoded(changes))?.[1];

test("a login onto an application, whose time is UTC", () => {
  assert.equal(
    decoded(),
    `login ${JSON.stringify({
      timeMs: Date.UTC(2026, 2, 1, 10),
      user: "ann@corp.example",
      targetUser: "ann@corp.example",
      sourceHost: "203.0.113.7",
      targetHost: "a1",
      authType: "",
      logonType: "Login:login",
      outcome: "success",
      evidence: "none",
      uid: "r1",
    })}`,
  );
  assert.match(decoded({ ApplicationId: "" }), /"targetHost":"azureactivedirectory"/);
});

test("the operation says what came of it, never the result's status", () => {
  const failed = { Operation: "UserLoginFailed", ResultStatus: "Success" };
  assert.match(decoded({ ...failed, LogonError: "InvalidUserNameOrPassword" }), /"outcome":"failure"/);
  assert.match(decoded({ ...failed, LogonError: "UserStrongAuthClientAuthNRequiredInterrupt" }), /"unknown"/);
  assert.match(decoded({ ...failed, ErrorNumber: "50140" }), /"outcome":"unknown"/);
  assert.match(decoded({ ...failed, ErrorCode: 50074 }), /"outcome":"unknown"/);
});

test("addresses come with a port or without, and a device says who it is", () => {
  assert.equal(sourceOf({ ClientIP: "203.0.113.7:10736" }), "203.0.113.7");
  assert.equal(sourceOf({ ClientIP: "[2001:db8::7]:443" }), "2001:db8::7");
  assert.equal(sourceOf({ ClientIP: "2001:db8::7" }), "2001:db8::7");
  assert.equal(sourceOf({ ClientIP: "", ActorIpAddress: "203.0.113.9" }), "203.0.113.9");
  assert.equal(sourceOf({ DeviceProperties: [{ Name: "Id", Value: "D1" }] }), "d1");
  assert.equal(sourceOf({ DeviceProperties: [null, "Id", { Name: "OS", Value: "x" }] }), "203.0.113.7");
});

test("a password that an old client gave to Exchange is weak", () => {
  const agent = (Value: string) => decoded({ ExtendedProperties: [{ Name: "UserAgent", Value }] });
  assert.match(agent("BAV2ROPC"), /"evidence":"weak"/);
  assert.match(agent("CBAInPROD"), /"evidence":"weak"/);
  assert.match(agent("Mozilla/5.0"), /"evidence":"none"/);
});

test("keys may be small, and what is no login is ignored or rejected with a reason", () => {
  const small = Object.fromEntries(Object.entries(RECORD).map(([key, value]) => [key.toLowerCase(), value]));
  assert.equal(decodedRecord(small), decoded());
  assert.equal(decoded({ Operation: "MailboxLogin" }), "ignored not-a-login");
  assert.equal(decoded({ UserId: "Not Available" }), "ignored not-a-login");
  assert.match(decoded({ Operation: undefined }), /^rejected unknown-event/);
  assert.match(decoded({ UserId: undefined }), /^rejected no-user/);
  assert.match(decoded({ CreationTime: undefined }), /^rejected invalid-time/);
});

test("a record of Beats that holds one is not taken for it", () => {
  assert.match(decodedRecord({ o365: { audit: RECORD } }), /^rejected/);
  assert.doesNotMatch(decodedRecord({ o365: { audit: RECORD } }), /no operation/);
});

test("SharePoint's records are none of Windows, though they have an EventData as well", () => {
  const decoder = createDecoder("auto", FORMAT_OPTIONS);
  const [logon, share] = [
    { EventID: 4624, EventData: {} },
    { ...RECORD, Workload: "OneDrive", Operation: "AddedToSecureLink", EventData: "<Type>Edit</Type>" },
  ].map((record) => {
    const bytes = Buffer.from(JSON.stringify(record));
    return textOfDecoded(decoder.decode(bytes, 0, bytes.length));
  });
  assert.match(logon!, /^rejected no-user: the event has no data/);
  assert.equal(share, "ignored not-a-login");
});
