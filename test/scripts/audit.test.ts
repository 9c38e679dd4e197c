import assert from "node:assert/strict";
import { test } from "node:test";
import { isFatal, readAudit } from "../../scripts/audit.ts";

test("an audit that could not be had is never taken for one that found nothing", () => {
  for (const output of ["", "{}", '{"message":"request failed"}', '{"error":{"code":"ENOAUDIT"}}', "<html>"])
    assert.equal(readAudit(output).kind, "unavailable", output);
});

test("known vulnerabilities are named, and those that are high end the tests", () => {
  const found = { name: "left", severity: "high", range: "<1.2.3", isDirect: false };
  const result = readAudit(
    JSON.stringify({ vulnerabilities: { left: found }, metadata: { dependencies: { prod: 90 } } }),
  );
  assert.deepEqual(result, { kind: "audited", dependencies: 90, found: [found] });
  assert.equal(isFatal(found), true);
  assert.equal(isFatal({ severity: "moderate" }), false);
});
