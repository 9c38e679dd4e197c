import assert from "node:assert/strict";
import { test } from "node:test";
import { domainOf, endpointOf, userOf } from "../../src/alerts/entity.ts";

test("a user keeps the name of its log and repeats the domain", () => {
  assert.deepEqual(userOf("U748@DOM1"), { name: "U748@DOM1", domain: "DOM1" });
  assert.deepEqual(userOf("alice"), { name: "alice" });
  assert.deepEqual(userOf("a@b@c"), { name: "a@b@c", domain: "c" });
});

test("half an address, or a domain the source does not know, is no domain", () => {
  assert.deepEqual(["@b", "a@", "@", "U1@?", ""].map(domainOf), ["", "", "", "", ""]);
});

test("machine accounts are of the system, other names tell no type", () => {
  assert.deepEqual(userOf("C1$@DOM1"), { name: "C1$@DOM1", domain: "DOM1", type: "System", type_id: 3 });
  assert.deepEqual(userOf("C1$"), { name: "C1$", type: "System", type_id: 3 });
  assert.deepEqual(userOf("cash$flow@DOM1"), { name: "cash$flow@DOM1", domain: "DOM1" });
  assert.deepEqual(userOf("alice@shop$"), { name: "alice@shop$", domain: "shop$" });
});

test("an address stands in ip and a name in hostname, never the other way round", () => {
  assert.deepEqual(endpointOf("10.1.2.3"), { name: "10.1.2.3", ip: "10.1.2.3" });
  assert.deepEqual(endpointOf("2001:db8::1"), { name: "2001:db8::1", ip: "2001:db8::1" });
  assert.deepEqual(endpointOf("C17693"), { name: "C17693", hostname: "C17693" });
  assert.deepEqual(endpointOf("10.1.2"), { name: "10.1.2", hostname: "10.1.2" });
  assert.deepEqual(endpointOf("fe80::1%eth0"), { name: "fe80::1%eth0", hostname: "fe80::1%eth0" });
});

test("an empty name is nobody and nowhere", () => {
  assert.equal(userOf(""), undefined);
  assert.equal(endpointOf(""), undefined);
});
