import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("the recordings of OTRF, in three shapes, are read as the golden file says, each record", () => {
  const lines = decodeSample("otrf-windows.jsonl", "windows");
  assertGolden("otrf-windows", lines);
  assert.deepEqual(countsOf(lines), {
    "ignored not-a-login": 388,
    login: 442,
    "ignored log-off": 325,
    evidence: 27,
    "ignored credential-check": 17,
    "ignored linked-logon": 14,
    "ignored failed-request": 2,
  });
});

test("those of Log Analytics, whose times have no zone, too", () => {
  const lines = decodeSample("msticpy-windows.jsonl", "windows");
  assertGolden("msticpy-windows", lines);
  assert.deepEqual(countsOf(lines), { login: 29 });
});

const LOGON = {
  "@timestamp": "2026-03-01T10:00:00.123Z",
  winlog: {
    event_id: "4624",
    computer_name: "DB1.corp.example",
    record_id: 77,
    event_data: {
      TargetUserName: "Ann",
      TargetDomainName: "CORP",
      LogonType: "3",
      AuthenticationPackageName: "NTLM",
      WorkstationName: "WS7",
      IpAddress: "10.0.0.7",
    },
  },
  event: { code: "4624", kind: "event" },
  host: { name: "collector" },
};

function decoded(data: object = {}, event: object = {}): string {
  const { winlog } = LOGON;
  const record = {
    ...LOGON,
    winlog: { ...winlog, ...event, event_data: { ...winlog.event_data, ...data } },
  };
  const bytes = Buffer.from(JSON.stringify(record));
  return textOfDecoded(createDecoder("windows", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

test("Winlogbeat 7: the computer that logged it is the target, not the collector", () => {
  assert.equal(
    decoded(),
    `login ${JSON.stringify({
      timeMs: Date.UTC(2026, 2, 1, 10, 0, 0, 123),
      user: "ann@corp",
      targetUser: "ann@corp",
      sourceHost: "ws7",
      targetHost: "db1",
      authType: "NTLM",
      logonType: "Network",
      outcome: "success",
      evidence: "weak",
      uid: "db1/77",
    })}`,
  );
});

test("a source without a name is its address, loopback is the computer, link-local nobody, nothing the console's own", () => {
  const source = (data: object) =>
    /"sourceHost":"([^"]*)"/.exec(decoded({ WorkstationName: "-", ...data }))?.[1];
  assert.equal(source({}), "10.0.0.7");
  assert.equal(source({ IpAddress: "::ffff:10.0.0.8" }), "10.0.0.8");
  assert.equal(source({ IpAddress: "::1" }), "db1");
  assert.equal(source({ IpAddress: "fe80::1%4" }), "");
  assert.equal(source({ IpAddress: "-" }), "");
  assert.equal(source({ IpAddress: "-", LogonType: 2 }), "db1");
});

test("who asks for a logon acts if he is a person, and not if he is the machine", () => {
  const users = (data: object) =>
    decoded(data)
      .match(/"user":"([^"]*)","targetUser":"([^"]*)"/)
      ?.slice(1);
  const subject = { SubjectUserName: "bob", SubjectDomainName: "CORP", SubjectLogonId: "0x1234" };
  assert.deepEqual(users(subject), ["bob@corp", "ann@corp"]);
  assert.deepEqual(users({ ...subject, SubjectLogonId: "0x3e7" }), ["ann@corp", "ann@corp"]);
  assert.deepEqual(users({ ...subject, SubjectUserName: "DB1$" }), ["ann@corp", "ann@corp"]);
  const outwards = { LogonType: "9", TargetOutboundUserName: "admin", TargetOutboundDomainName: "CORP" };
  assert.deepEqual(users(outwards), ["ann@corp", "admin@corp"]);
});

test("a number that is the name of something that all objects have is just unknown", () => {
  assert.match(decoded({ LogonType: "constructor" }), /"logonType":"constructor"/);
  assert.equal(decoded({}, { event_id: "constructor" }), "ignored not-a-login");
});

test("accounts that each host has belong to their host", () => {
  assert.match(
    decoded({ TargetUserName: "DWM-1", TargetDomainName: "Window Manager" }),
    /"user":"dwm-1@db1"/,
  );
  assert.match(
    decoded({ TargetUserName: "ANONYMOUS LOGON", TargetDomainName: "NT AUTHORITY" }),
    /"user":"anonymous logon@db1"/,
  );
});

test("what is no login is ignored with a reason, and what can't be read rejected with one", () => {
  const of = (id: string, data: object = {}) =>
    decoded(data, { event_id: id }).split(/[ :{]/).slice(0, 2).join(" ");
  assert.equal(of("4634"), "ignored log-off");
  assert.equal(of("4672"), "ignored not-a-login");
  assert.equal(of("4771"), "ignored failed-request");
  assert.equal(of("4776"), "ignored credential-check");
  assert.equal(of("4801"), "ignored screen-lock");
  assert.equal(of("4768", { Status: "0x6" }), "ignored failed-request");
  assert.match(
    decoded({ Status: "0x0" }, { event_id: 4769 }),
    /^evidence .*"sourceHost":"10.0.0.7".*"evidence":"ticket"/,
  );
  const bytes = Buffer.from('{"EventID":4624}');
  const decoder = createDecoder("windows", FORMAT_OPTIONS);
  assert.match(textOfDecoded(decoder.decode(bytes, 0, bytes.length)), /^rejected no-user/);
});
