import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { traceHeaders, traceOf } from "../../../src/log/kafka/trace-context.ts";

const PARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

test("a trace is carried on as it came", () => {
  const headers = { traceparent: Buffer.from(PARENT), tracestate: Buffer.from("vendor=1,other=2") };
  assert.deepEqual(traceHeaders(traceOf(headers)), { traceparent: PARENT, tracestate: "vendor=1,other=2" });
  assert.deepEqual(traceOf({ traceparent: PARENT }), { traceparent: PARENT });
  assert.deepEqual(traceHeaders(traceOf({})), {});
});

test("what is no trace is none, and a state that is none is left out", () => {
  for (const traceparent of [
    "",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
    "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
    "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
    `${PARENT}\nevil: 1`,
    PARENT.toUpperCase(),
    "x".repeat(10_000),
  ])
    assert.equal(traceOf({ traceparent }), undefined, traceparent);
  assert.deepEqual(traceOf({ traceparent: PARENT, tracestate: "a\nb" }), { traceparent: PARENT });
  assert.deepEqual(traceOf({ traceparent: PARENT, tracestate: "a".repeat(513) }), { traceparent: PARENT });
});
