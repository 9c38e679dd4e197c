import assert from "node:assert/strict";
import { test } from "node:test";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { assertGolden, countsOf, FORMAT_OPTIONS, sampleRecords, textOfDecoded } from "./samples.ts";

const SERVICES = ["duo", "auth0", "onelogin", "google"];

test("records of several services in turn are each taken for their own format", () => {
  const auto = createDecoder("auto", FORMAT_OPTIONS);
  const records = sampleRecords("cloud-logins.jsonl");
  const lines = records.map((record) => textOfDecoded(auto.decode(record, 0, record.length)));
  const own = records.map((record, i) =>
    textOfDecoded(
      createDecoder(SERVICES[i % SERVICES.length]!, FORMAT_OPTIONS).decode(record, 0, record.length),
    ),
  );
  assert.deepEqual(lines, own);
  assertGolden("cloud-logins", lines);
  assert.deepEqual(countsOf(lines), { login: 11, "ignored not-a-login": 1 });
});
