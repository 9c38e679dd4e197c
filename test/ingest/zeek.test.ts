import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import { gunzipSync } from "node:zlib";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, decodeSample, FORMAT_OPTIONS, textOfDecoded } from "./samples.ts";

/** Logs that may be looked at but not handed on: there on some machines only. */
const NOT_SHIPPED = join(import.meta.dirname, "..", "..", "..", "shared", "data", "wrccdc-zeek");

function decoded(format: string, ...lines: string[]): string[] {
  const decoder = createDecoder(format, FORMAT_OPTIONS);
  return lines.map((line) => {
    const bytes = Buffer.from(line);
    return textOfDecoded(decoder.decode(bytes, 0, bytes.length));
  });
}

const zeekJson = (record: object): string =>
  decoded(
    "zeek",
    JSON.stringify({
      ts: 1772359200.5,
      uid: "C1",
      "id.orig_h": "10.0.0.7",
      "id.resp_h": "10.0.0.20",
      ...record,
    }),
  )[0]!;

test("the recording of OTRF, as JSON, is read as the golden file says, each record", () => {
  const lines = decodeSample("otrf-zeek.jsonl", "zeek");
  assertGolden("otrf-zeek", lines);
  assert.deepEqual(countsOf(lines), { evidence: 18, "ignored not-a-login": 151 });
});

test("logs as columns are read by their header lines", () => {
  const lines = decodeSample("zeek-columns.log", "zeek");
  assertGolden("zeek-columns", lines);
  assert.deepEqual(countsOf(lines), {
    "ignored header": 45,
    login: 5,
    "ignored not-a-login": 7,
    "rejected wrong-column-count": 1,
    evidence: 2,
    "ignored failed-request": 2,
  });
});

test("a real competition's logs are read too", { skip: !existsSync(NOT_SHIPPED) }, () => {
  const counts = Object.fromEntries(
    ["ntlm", "kerberos", "ssh", "dce_rpc"].map((log) => {
      const text = gunzipSync(readFileSync(join(NOT_SHIPPED, `${log}.log.gz`))).toString();
      const lines = text.split("\n").filter((line) => line !== "");
      const read = decoded("zeek", ...lines);
      assert.deepEqual(decoded("auto", ...lines), read);
      return [log, countsOf(read)];
    }),
  );
  assert.deepEqual(counts["ntlm"], { "ignored header": 9, "ignored not-a-login": 105, login: 317 });
  assert.equal(counts["ssh"]?.["rejected wrong-column-count"], undefined);
});

test("columns before any #fields line are rejected, and header lines of a new file start anew", () => {
  const data = "1772359200.5\tCabcdefghij1\t10.0.0.7\tann";
  const fields = "#fields\tts\tuid\tid.orig_h\tusername";
  const kinds = decoded("auto", data, "#path\tntlm", fields, data, "#separator \\x09", data).map(
    (text) => /^\w+ [a-z-]*/.exec(text)![0],
  );
  assert.deepEqual(kinds, [
    "rejected unknown-schema",
    "ignored header",
    "ignored header",
    "rejected no-target-host",
    "ignored header",
    "rejected unknown-schema",
  ]);
});

test("JSON names the connection with a dot, an underscore, or nested, and time as it likes", () => {
  const ntlm = { username: "Ann", domainname: "CORP", server_dns_computer_name: "DB1.corp.example" };
  const plain = zeekJson({ ...ntlm, success: true });
  assert.match(plain, /^login .*"timeMs":1772359200500,"user":"ann@corp".*"sourceHost":"10.0.0.7"/);
  assert.match(plain, /"targetHost":"db1".*"outcome":"success","evidence":"weak"/);
  assert.match(
    decoded(
      "zeek",
      JSON.stringify({ ...ntlm, ts: "2026-03-01T10:00:00.500Z", id_orig_h: "10.0.0.7", _path: "ntlm" }),
    )[0]!,
    /"timeMs":1772359200500.*"sourceHost":"10.0.0.7".*"outcome":"unknown"/,
  );
  assert.match(
    zeekJson({ ...ntlm, ts: 1772359200500, hostname: "WORKSTATION" }),
    /"timeMs":1772359200500.*"sourceHost":"10.0.0.7"/,
  );
  assert.match(zeekJson({ ...ntlm, ts: "soon" }), /^rejected invalid-time/);
});

test("what names no account is nobody's login", () => {
  assert.equal(zeekJson({ "@stream": "ssh", auth_success: true }), "ignored not-a-login");
  assert.equal(zeekJson({ "@stream": "smb_mapping", path: "\\\\DB1\\C$" }), "ignored not-a-login");
  assert.equal(zeekJson({ "@stream": "ntlm", hostname: "WORKSTATION" }), "ignored not-a-login");
  assert.equal(zeekJson({ "@stream": "rdp", result: "encrypted" }), "ignored not-a-login");
});
