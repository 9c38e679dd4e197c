import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("events of CloudTrail, written by hand, are read as the golden file says, each record", () => {
  const lines = decodeSample("cloudtrail.jsonl", "cloudtrail");
  assertGolden("cloudtrail", lines);
  assert.deepEqual(countsOf(lines), {
    login: 11,
    "ignored failed-request": 1,
    "ignored credential-check": 1,
    "ignored log-off": 1,
    "ignored not-a-login": 5,
    "rejected unknown-format": 1,
  });
});

const ACCOUNT = "111122223333";
const EVENT = {
  eventVersion: "1.09",
  userIdentity: { type: "IAMUser", accountId: ACCOUNT, userName: "Ann" },
  eventTime: "2026-03-01T10:00:00Z",
  eventSource: "signin.amazonaws.com",
  eventName: "ConsoleLogin",
  awsRegion: "us-east-1",
  sourceIPAddress: "203.0.113.7",
  responseElements: { ConsoleLogin: "Success" },
  additionalEventData: { MFAUsed: "No" },
  eventID: "e1",
  eventType: "AwsConsoleSignIn",
  recipientAccountId: ACCOUNT,
};

function decoded(changes: object = {}): string {
  const bytes = Buffer.from(JSON.stringify({ ...EVENT, ...changes }));
  return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const users = (userIdentity: object, changes: object = {}) =>
  decoded({ ...changes, userIdentity })
    .match(/"user":"([^"]*)","targetUser":"([^"]*)"/)
    ?.slice(1);

test("a login to the console lands on the AWS account", () => {
  assert.equal(
    decoded(),
    `login ${JSON.stringify({
      timeMs: Date.UTC(2026, 2, 1, 10),
      user: `ann@${ACCOUNT}`,
      targetUser: `ann@${ACCOUNT}`,
      sourceHost: "203.0.113.7",
      targetHost: `aws/${ACCOUNT}`,
      authType: "IAMUser",
      logonType: "ConsoleLogin",
      outcome: "success",
      evidence: "none",
      uid: "e1",
    })}`,
  );
});

test("a second factor is strong evidence if the login succeeded; one that its session had earlier is none", () => {
  const mfa = { additionalEventData: { MFAUsed: "Yes" } };
  assert.match(decoded(mfa), /"evidence":"strong"/);
  assert.match(
    decoded({ ...mfa, responseElements: { ConsoleLogin: "Failure" } }),
    /"failure","evidence":"none"/,
  );
  const sessionContext = { attributes: { mfaAuthenticated: "true" } };
  assert.match(decoded({ userIdentity: { ...EVENT.userIdentity, sessionContext } }), /"evidence":"none"/);
});

test("an assumed role is who is logged in, its session who does it, never root or a user of that name", () => {
  const role = (session: string) => ({
    type: "AssumedRole",
    accountId: ACCOUNT,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Operators/${session}`,
  });
  assert.deepEqual(users(role("root")), [`operators/root@${ACCOUNT}`, `operators@${ACCOUNT}`]);
  assert.deepEqual(users(role("Ann@Corp.Example")), ["ann@corp.example", `operators@${ACCOUNT}`]);
  const nameless = { ...role("ann"), arn: undefined, principalId: "AROA1:ann" };
  const sessionContext = { sessionIssuer: { userName: "Operators" } };
  assert.deepEqual(users({ ...nameless, sessionContext }), [
    `operators/ann@${ACCOUNT}`,
    `operators@${ACCOUNT}`,
  ]);
});

test("root is root, whatever alias the account has, and other identities go by name, ARN or principal", () => {
  const root = `root@${ACCOUNT}`;
  assert.deepEqual(users({ type: "Root", accountId: ACCOUNT, userName: "my-company" }), [root, root]);
  const bob = `bob@${ACCOUNT}`;
  assert.deepEqual(users({ type: "FederatedUser", arn: `arn:aws-cn:sts::${ACCOUNT}:federated-user/Bob` }), [
    bob,
    bob,
  ]);
  assert.deepEqual(users({ type: "FederatedUser", accountId: ACCOUNT, principalId: `${ACCOUNT}:bob` }), [
    bob,
    bob,
  ]);
});

test("who switches the role acts, from another account too", () => {
  const identity = {
    type: "AssumedRole",
    accountId: ACCOUNT,
    arn: `arn:aws:sts::${ACCOUNT}:assumed-role/Billing/ann`,
  };
  const from = (SwitchFrom: unknown) =>
    users(identity, { eventName: "SwitchRole", additionalEventData: { SwitchFrom } });
  assert.deepEqual(from("arn:aws:iam::444455556666:user/Ann"), ["ann@444455556666", `billing@${ACCOUNT}`]);
  assert.deepEqual(from(undefined), [`billing/ann@${ACCOUNT}`, `billing@${ACCOUNT}`]);
});

test("what came of it is said by the response, else by the error", () => {
  const outcome = (changes: object) => /"outcome":"(\w+)"/.exec(decoded(changes))?.[1];
  assert.equal(outcome({ responseElements: { ConsoleLogin: "Failure" } }), "failure");
  assert.equal(outcome({ responseElements: null, errorMessage: "Failed authentication" }), "failure");
  assert.equal(outcome({ responseElements: null }), "unknown");
});

test("a source that is no address is none, and what can't be read is rejected", () => {
  assert.match(decoded({ sourceIPAddress: "AWS Internal" }), /"sourceHost":""/);
  assert.match(decoded({ sourceIPAddress: "ec2.amazonaws.com" }), /"sourceHost":""/);
  assert.match(decoded({ userIdentity: null, recipientAccountId: "" }), /^rejected no-user/);
  assert.match(decoded({ eventTime: 7 }), /^rejected invalid-time/);
  assert.match(decoded({ eventName: null }), /^rejected unknown-event/);
  assert.match(decoded({ Records: [EVENT] }), /^rejected unknown-format: a file of Records/);
  assert.equal(decoded({ eventName: "constructor" }), "ignored not-a-login");
});
