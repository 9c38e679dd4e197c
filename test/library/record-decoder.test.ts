import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { createDecoder, OddlinkError } from "../../src/index.ts";

const LANL = "1,U1@DOM1,U1@DOM1,C1,C2,NTLM,Network,LogOn,Success";

test("a decoder gives logins of its own: the next record does not change them", () => {
  const decoder = createDecoder();
  const first = decoder.decode(LANL);
  const second = decoder.decode(Buffer.from(LANL.replaceAll("U1", "U2")));
  assert.ok(first.kind === "login" && second.kind === "login");
  assert.equal(first.login.user, "U1@DOM1");
  assert.equal(second.login.user, "U2@DOM1");
});

test("what is no login is a value that says why, whatever the bytes are", () => {
  const decoder = createDecoder({ recordBytesMax: 1024 });
  const reasons = [
    "",
    "{",
    LANL.replace("LogOn", "LogOff"),
    new Uint8Array([0xff, 0x41]),
    "x".repeat(1025),
  ].map((record) => {
    const decoded = decoder.decode(record);
    assert.ok("reason" in decoded);
    return `${decoded.kind} ${decoded.reason}`;
  });
  assert.deepEqual(reasons, [
    "ignored blank-line",
    "rejected invalid-json",
    "ignored log-off",
    "rejected invalid-utf8",
    "rejected record-too-long",
  ]);
});

test("formats of one's own are read, and settings that are wrong are named", () => {
  const decoder = createDecoder({
    format: "mapped",
    mappings: [
      {
        name: "vpn",
        where: [{ path: "product", is: ["vpn"] }],
        fields: { time: { path: "ts", format: "seconds" }, user: "who", targetHost: { constant: "vpn" } },
      },
    ],
  });
  const decoded = decoder.decode('{"product":"vpn","ts":5,"who":"ann"}');
  assert.ok(decoded.kind === "login");
  assert.deepEqual(
    [decoded.login.timeMs, decoded.login.user, decoded.login.targetHost],
    [5000, "ann", "vpn"],
  );
  for (const [format, wrong] of [
    ["xml", /input\.format: .*\[settings\]/],
    ["mapped", /format mapped needs input\.mappings/],
    ["avro", /avro needs a schema registry/],
  ] as const)
    assert.throws(
      () => createDecoder({ format }),
      (error: unknown) =>
        error instanceof OddlinkError && error.code === "CONFIG_INVALID" && wrong.test(error.message),
    );
});
