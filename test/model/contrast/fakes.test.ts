import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import type { Sample } from "../../../src/graph-state/hourly-samples.ts";
import { LoginBytes, SOURCE_HOST, TARGET_HOST, USER } from "../../../src/ingest/login-bytes.ts";
import { FakeLogins, SWAPPED } from "../../../src/model/contrast/fakes.ts";

const NO_ROWS = Buffer.alloc(0);
const sample = (key: number): Sample => ({
  hour: 1,
  key,
  user: Buffer.from(`U${key % 7}`),
  sourceHost: Buffer.from(`C${key % 5}`),
  targetHost: Buffer.from(`S${key % 3}`),
  rows: NO_ROWS,
});
const SAMPLES = Array.from({ length: 50 }, (_, key) => sample(key));

function login(user: string, source: string, target: string): LoginBytes {
  const bytes = new LoginBytes();
  for (const [column, name] of [
    [USER, user],
    [SOURCE_HOST, source],
    [TARGET_HOST, target],
  ] as const) {
    bytes.set(column, Buffer.from(name), 0, Buffer.byteLength(name));
  }
  return bytes;
}

const textOf = (fake: LoginBytes | undefined): string[] | undefined =>
  fake && [USER, SOURCE_HOST, TARGET_HOST].map((column) => fake.text(column));

test("each fake has one other name, a known one, and leads from one host to another", () => {
  const real = login("U0", "C0", "S0");
  const fakes = new FakeLogins(SAMPLES);
  for (let key = 0; key < 200; key++) {
    let place = 0;
    for (const fake of fakes.of(real, key)) {
      const column = SWAPPED[place++]!;
      if (fake === undefined) continue;
      assert.ok(fake.isRemote());
      for (const other of [USER, SOURCE_HOST, TARGET_HOST])
        assert.equal(fake.text(other) === real.text(other), other !== column);
      assert.match(fake.text(column), column === USER ? /^U\d$/ : /^[CS]\d$/);
    }
    assert.equal(place, SWAPPED.length);
  }
});

test("the same key gives the same fakes, whoever makes them", () => {
  const real = login("U0", "C0", "S0");
  const make = (key: number, samples: readonly Sample[]): unknown[] => {
    const made: unknown[] = [];
    for (const fake of new FakeLogins(samples).of(real, key)) made.push(textOf(fake));
    return made;
  };
  assert.deepEqual(make(3, SAMPLES), make(3, [...SAMPLES]));
  const all = new Set(Array.from({ length: 20 }, (_, key) => JSON.stringify(make(key, SAMPLES))));
  assert.ok(all.size > 10, "another key, other fakes");
});

test("where there is no other name there is no fake", () => {
  const only = [sample(0)];
  const made: unknown[] = [];
  for (const fake of new FakeLogins(only).of(login("U0", "C0", "S0"), 1)) made.push(textOf(fake));
  assert.deepEqual(made, [undefined, undefined, undefined]);
  assert.deepEqual([...new FakeLogins([]).of(login("U0", "C0", "S0"), 1)], [undefined, undefined, undefined]);
});
