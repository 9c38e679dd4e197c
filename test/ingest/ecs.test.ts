import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder, FORMATS } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("records made by hand are read as the golden file says, each record", () => {
  const lines = decodeSample("ecs-by-hand.jsonl", "ecs");
  assertGolden("ecs-by-hand", lines);
  assert.deepEqual(countsOf(lines), {
    login: 9,
    "ignored not-a-login": 4,
    "ignored credential-check": 3,
    "ignored log-off": 2,
    "ignored failed-request": 1,
    "rejected no-user": 1,
    "rejected invalid-time": 1,
  });
});

// Written by hand after the published schema, as the sample is.
const RECORD = {
  "@timestamp": "2026-03-01T10:00:00.123Z",
  ecs: { version: "9.4.0" },
  event: { kind: "event", category: ["authentication"], type: ["start"], outcome: "success", id: "e1" },
  user: { name: "Ann", domain: "CORP" },
  source: { ip: "10.0.0.7" },
  host: { name: "DB1.corp.example" },
};

function decoded(changes: object = {}, format = "auto"): string {
  const bytes = Buffer.from(JSON.stringify({ ...RECORD, ...changes }));
  return textOfDecoded(createDecoder(format, FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

const event = (changes: object) => ({ event: { ...RECORD.event, ...changes } });

test("an authentication that starts is a login", () => {
  const expected = {
    timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
    user: "ann@corp",
    targetUser: "ann@corp",
    sourceHost: "10.0.0.7",
    targetHost: "db1",
    authType: "",
    logonType: "",
    outcome: "success",
    evidence: "none",
    uid: "e1",
  };
  assert.equal(decoded(), `login ${JSON.stringify(expected)}`);
  const flat = {
    "@timestamp": "2026-03-01T10:00:00.123Z",
    "ecs.version": "1.6.0",
    "event.category": "authentication",
    "event.type": "info",
    "event.outcome": "success",
    "event.id": "e1",
    "user.name": ["Ann"],
    "user.domain": "CORP",
    "source.ip": ["10.0.0.7", "10.0.0.8"],
    "host.name": "db1",
  };
  const bytes = Buffer.from(JSON.stringify(flat));
  const decoder = createDecoder("auto", FORMAT_OPTIONS);
  assert.equal(
    textOfDecoded(decoder.decode(bytes, 0, bytes.length)),
    `login ${JSON.stringify(expected)}`,
    "keys with dots, a text for a list, lists for texts",
  );
});

test("who acts is the user, who is logged in the target or effective user", () => {
  const users = (changes: object) =>
    decoded(changes)
      .match(/"user":"([^"]*)","targetUser":"([^"]*)"/)
      ?.slice(1);
  const target = { ...RECORD.user, target: { name: "root" } };
  assert.deepEqual(users({ user: target }), ["ann@corp", "root"]);
  assert.deepEqual(users({ user: { effective: { name: "root" } } }), ["root", "root"]);
  assert.deepEqual(users({ source: { ip: "10.0.0.7", user: { name: "bob" } } }), ["bob", "ann@corp"]);
  assert.deepEqual(users({ user: { email: "Ann@corp.example", id: "7" } }), [
    "ann@corp.example",
    "ann@corp.example",
  ]);
});

test("an account without a domain belongs to the host whose own log says so, and to nobody else", () => {
  const user = { name: "root" };
  const userOf = (module: string) => /"user":"([^"]*)"/.exec(decoded({ user, ...event({ module }) }))?.[1];
  assert.equal(userOf("system"), "root@db1");
  assert.equal(userOf("okta"), "root");
});

test("the source is a name before an address, loopback the target itself; the target a destination before the host", () => {
  const hosts = (changes: object) =>
    decoded(changes)
      .match(/"sourceHost":"([^"]*)","targetHost":"([^"]*)"/)
      ?.slice(1);
  const destination = { domain: "Web3.corp.example", ip: "10.0.0.9" };
  assert.deepEqual(hosts({ destination }), ["10.0.0.7", "web3"]);
  assert.deepEqual(hosts({ source: { address: "WS7.corp.example", ip: "10.0.0.7" } }), ["ws7", "db1"]);
  assert.deepEqual(hosts({ source: { ip: "::1" } }), ["db1", "db1"]);
  assert.deepEqual(hosts({ source: undefined, client: { ip: "::ffff:10.0.0.8" } }), ["10.0.0.8", "db1"]);
  assert.deepEqual(hosts({ host: { name: "collector", hostname: "vm4" } }), ["10.0.0.7", "vm4"]);
  assert.deepEqual(hosts({ host: undefined, service: { name: "Time.Sheets" } }), ["10.0.0.7", "time.sheets"]);
  assert.match(decoded({ host: undefined }), /^rejected no-target-host/);
});

test("what is no login is ignored with a reason: sudo, what ends, copies in detections, the steps of auditd", () => {
  assert.equal(decoded(event({ category: "process", action: "sudo" })), "ignored not-a-login");
  assert.equal(decoded(event({ category: ["iam"], type: ["user", "creation"] })), "ignored not-a-login");
  assert.equal(decoded(event({ category: undefined })), "ignored not-a-login");
  assert.equal(decoded(event({ type: "change" })), "ignored not-a-login");
  assert.equal(decoded(event({ type: ["end"] })), "ignored log-off");
  assert.equal(decoded(event({ kind: "signal" })), "ignored not-a-login");
  const auditd = (action: string) =>
    decoded(event({ module: "auditd", type: ["info"], action })).split(" {", 1)[0];
  assert.equal(auditd("logged-in"), "login");
  assert.equal(auditd("acquired-credentials"), "ignored credential-check");
  assert.equal(auditd("ended-session"), "ignored log-off");
  assert.equal(decoded({ system: { auth: { ssh: { event: "Invalid" } } } }), "ignored not-a-login");
  assert.equal(
    decoded({ system: { auth: { ssh: { event: "Failed", method: "none" } } } }),
    "ignored failed-request",
  );
});

test("Windows events that Winlogbeat 7 wrote are not taken, whatever came before them", () => {
  const winlogbeat = {
    ...RECORD,
    winlog: { event_id: 4624, computer_name: "dc1", event_data: { TargetUserName: "eve", LogonType: "3" } },
  };
  const decoder = createDecoder("auto", FORMAT_OPTIONS);
  const hostOf = (record: object) => {
    const bytes = Buffer.from(JSON.stringify(record));
    return /"targetHost":"([^"]*)"/.exec(textOfDecoded(decoder.decode(bytes, 0, bytes.length)))?.[1];
  };
  assert.deepEqual([RECORD, winlogbeat, RECORD].map(hostOf), ["db1", "dc1", "db1"]);
  const bytes = Buffer.from(JSON.stringify(winlogbeat));
  const takers = FORMATS.filter((format) => format.recognises(bytes, 0, bytes.length));
  assert.deepEqual(
    takers.map(({ name }) => name),
    ["windows"],
  );
});

test("a hit of a search holds its record in _source, and its id where the event has none", () => {
  const hit = (id: string | undefined) => ({
    _index: "logs",
    _id: "x9",
    _source: { ...RECORD, ...event({ id }) },
  });
  const of = (record: object) => {
    const bytes = Buffer.from(JSON.stringify(record));
    return textOfDecoded(createDecoder("auto", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
  };
  assert.equal(of(hit("e1")), decoded());
  assert.match(of(hit(undefined)), /^login .*"uid":"x9"/);
});

test("an outcome that is none of three is unknown, and what can't be read rejected with a reason", () => {
  assert.match(decoded(event({ outcome: "constructor" })), /"outcome":"unknown"/);
  assert.match(decoded(event({ outcome: ["Failure"] })), /"outcome":"failure"/);
  assert.match(decoded({ user: [null] }), /^rejected no-user/);
  assert.match(decoded({ "@timestamp": 1772359200123 }), /^rejected invalid-time/);
  assert.match(decoded({ "@timestamp": undefined }), /^rejected invalid-time/);
});
