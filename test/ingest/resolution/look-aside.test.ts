import assert from "node:assert/strict";
import { test } from "node:test";
import { LookAside } from "../../../src/ingest/resolution/look-aside.ts";

test("a table gives names whatever the case they are asked in, until they are taken away", () => {
  const table = new LookAside(10);
  table.set("10.0.0.7", "PC7");
  table.set(" FE80::1 ", "pc8");
  assert.equal(String(table.find("10.0.0.7")), "PC7");
  assert.equal(String(table.find("fe80::1")), "pc8");
  assert.equal(table.find("10.0.0.8"), undefined);
  table.set("10.0.0.7", undefined);
  table.set("fe80::1", "");
  assert.equal(table.find("10.0.0.7"), undefined);
  assert.deepEqual(table.counts, { entries: 0, lookups: 4, hits: 2, evicted: 0, unusable: 0 });
});

test("a full table makes room for what is new, and keeps what is asked for", () => {
  const table = new LookAside(100);
  table.set("asked", "kept");
  for (let i = 0; i < 1000; i++) {
    table.set(`10.0.${i}`, `pc${i}`);
    table.find("asked");
  }
  assert.equal(String(table.find("asked")), "kept");
  const { entries, evicted } = table.counts;
  assert.deepEqual({ entries, evicted }, { entries: 100, evicted: 901 });
});

test("what is no entry is counted, and changes nothing", () => {
  const table = new LookAside(10);
  table.set("", "pc");
  table.set("a", "x".repeat(257));
  assert.deepEqual(table.counts, { entries: 0, lookups: 0, hits: 0, evicted: 0, unusable: 2 });
});
