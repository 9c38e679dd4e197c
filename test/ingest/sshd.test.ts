import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { SyslogClock } from "../../src/ingest/formats/sshd.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

test("the auth.log of Elastic's examples is read as the golden file says, each line", () => {
  const lines = decodeSample("elastic-sshd.log", "sshd");
  assertGolden("elastic-sshd", lines);
  assert.deepEqual(countsOf(lines), {
    "ignored not-a-login": 3363,
    login: 492,
    "ignored log-off": 208,
    "ignored credential-check": 209,
  });
});

function decoded(text: string, time = "Mar  1 10:00:00"): string {
  const bytes = Buffer.from(`${time} DB1.corp.example ${text}`);
  return textOfDecoded(createDecoder("sshd", FORMAT_OPTIONS).decode(bytes, 0, bytes.length));
}

test("an accepted key is a login that shows nothing of its owner", () => {
  const text = "sshd[12]: Accepted publickey for Ann from 10.0.0.7 port 50000 ssh2: RSA SHA256:abc";
  const login = {
    timeMs: Date.UTC(2017, 2, 1, 10),
    user: "ann@db1",
    targetUser: "ann@db1",
    sourceHost: "10.0.0.7",
    targetHost: "db1",
    authType: "publickey",
    logonType: "ssh",
    outcome: "success",
    evidence: "none",
  };
  assert.equal(decoded(text), `login ${JSON.stringify(login)}`);
  const isoText = text.replace("sshd[", "sshd-session[");
  assert.equal(decoded(isoText, "2017-03-01T12:00:00.000000+02:00"), `login ${JSON.stringify(login)}`);
});

test("messages of RFC 5424 are read too, with structured data and without", () => {
  const text = "Accepted publickey for Ann from 10.0.0.7 port 50000 ssh2: RSA SHA256:abc";
  const plain = decoded(`sshd[12]: ${text}`, "2017-03-01T10:00:00Z");
  const decoder = createDecoder("auto", FORMAT_OPTIONS);
  for (const beginning of [
    "<38>1 2017-03-01T10:00:00Z DB1.corp.example sshd 12 - -",
    '<38>1 2017-03-01T12:00:00.000+02:00 DB1.corp.example sshd-session 12 ID47 [a@1 b="x\\]y"][c@2]',
    "<38>1 2017-03-01T10:00:00Z DB1.corp.example sshd - - - \ufeff",
  ]) {
    const bytes = Buffer.from(beginning.endsWith("\ufeff") ? `${beginning}${text}` : `${beginning} ${text}`);
    assert.equal(textOfDecoded(decoder.decode(bytes, 0, bytes.length)), plain, beginning);
  }
  const cron = Buffer.from(`<38>1 2017-03-01T10:00:00Z DB1 CRON 12 - - ${text}`);
  assert.equal(textOfDecoded(decoder.decode(cron, 0, cron.length)), "ignored not-a-login");
});

test("clients name accounts as they like: the last source counts", () => {
  const read = (name: string) =>
    /"user":"(.*?)",.*"sourceHost":"(.*?)"/
      .exec(decoded(`sshd[12]: Failed password for invalid user ${name} from 6.6.6.6 port 5 ssh2`))
      ?.slice(1);
  assert.deepEqual(read("root from 10.0.0.1 port 22 ssh2"), [
    "root from 10.0.0.1 port 22 ssh2@db1",
    "6.6.6.6",
  ]);
  assert.deepEqual(read("a b"), ["a b@db1", "6.6.6.6"]);
  assert.deepEqual(read("CORP\\ann"), ["ann@corp", "6.6.6.6"]);
  assert.equal(
    decoded("sshd[12]: Failed password for invalid user  from 6.6.6.6 port 5 ssh2"),
    "ignored not-a-login",
  );
});

test("loopback is the host itself, an unknown address nobody, a repeated message one login", () => {
  const source = (address: string) =>
    /"sourceHost":"(.*?)"/.exec(
      decoded(`sshd[1]: message repeated 5 times: [ Failed password for root from ${address} port 5 ssh2]`),
    )?.[1];
  assert.equal(source("127.0.0.1"), "db1");
  assert.equal(source("::1"), "db1");
  assert.equal(source("UNKNOWN"), "");
  assert.equal(source("2001:db8::7"), "2001:db8::7");
});

test("what is no login is ignored with a reason, what is no syslog rejected", () => {
  assert.equal(decoded("sshd[1]: Failed none for root from 6.6.6.6 port 5 ssh2"), "ignored failed-request");
  assert.equal(decoded("sshd[1]: pam_unix(sshd:session): session closed for user ann"), "ignored log-off");
  assert.equal(decoded("CRON[1]: Accepted password for x from 6.6.6.6 port 5 ssh2"), "ignored not-a-login");
  assert.match(decoded("sshd[1]: x", "yesterday"), /^rejected unknown-format/);
  const accepted = "sshd[1]: Accepted password for ann from 6.6.6.6 port 5 ssh2";
  assert.match(decoded(accepted, "Feb 30 10:00:00"), /^rejected invalid-time/);
});

test("the year counts up from December to January, once, and late lines are of the old one", () => {
  const clock = new SyslogClock(2025);
  const years = [
    "Dec 31 23:59:59",
    "Jan  1 00:00:01",
    "Dec 31 23:59:59",
    "Jan  1 00:00:02",
    "Feb  1 00:00:00",
  ].map((time) => new Date(clock.timeMs(time)).getUTCFullYear());
  assert.deepEqual(years, [2025, 2026, 2025, 2026, 2026]);
});

test("without a setting the year is this one, or the one before if that lies more than a day ahead", () => {
  const now = Date.UTC(2026, 2, 1, 10);
  const year = (time: string) => new Date(new SyslogClock(undefined, now).timeMs(time)).getUTCFullYear();
  assert.equal(year("Mar  1 09:00:00"), 2026);
  assert.equal(year("Mar  2 09:00:00"), 2026);
  assert.equal(year("Mar  2 11:00:00"), 2025);
  assert.equal(year("Dec 31 11:00:00"), 2025);
});
