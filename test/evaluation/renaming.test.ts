import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { keyOfSeed, Renaming, randomKey } from "../../src/evaluation/renaming.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import type { Login } from "../../src/ingest/login.ts";

function renamed(renaming: Renaming, line: string): Login {
  const decoder = renaming.wrap(createDecoder("auto", { lanlStartMs: 0 }));
  const bytes = Buffer.from(line);
  const decoded = decoder.decode(bytes, 0, bytes.length);
  assert(decoded.kind === "login" || decoded.kind === "evidence");
  return decoded.login.toLogin();
}

const LINE = "7,U1@DOM1,C5$@C5,C5,C6,NTLM,Network,LogOn,Success";

describe("pseudonyms", () => {
  test("stand for users and hosts, and for nothing else", () => {
    const login = renamed(new Renaming(randomKey()), LINE);
    const { user, targetUser, sourceHost, targetHost, ...rest } = login;
    for (const name of [user, targetUser, sourceHost, targetHost]) assert.doesNotMatch(name, /U1|DOM|C5|C6/);
    assert.deepEqual(rest, {
      timeMs: 7000,
      authType: "NTLM",
      logonType: "Network",
      outcome: "success",
      evidence: "weak",
    });
  });

  test("keep the structure of names: machine accounts, domains, and which host they are of", () => {
    const { user, targetUser, sourceHost } = renamed(new Renaming(randomKey()), LINE);
    assert.match(user, /^[0-9a-f]{16}@[0-9a-f]{16}$/);
    assert.equal(targetUser, `${sourceHost}$@${sourceHost}`);
  });

  test("of a domain that the source does not know say so still", () => {
    const renaming = new Renaming(randomKey());
    assert.equal(renaming.account("U1@?"), `${renaming.account("U1")}@?`);
  });

  test("are equal for equal names and different for different ones, whatever the names", () => {
    const renaming = new Renaming(keyOfSeed(1));
    const name = fc.oneof(fc.string({ minLength: 1, unit: fc.constantFrom("a", "B", "$", "@", "?") }));
    fc.assert(
      fc.property(name, name, (a, b) => {
        assert.equal(renaming.account(a) === renaming.account(b), a === b);
        assert.equal(renaming.host(a) === renaming.host(b), a === b);
      }),
      { numRuns: 2000 },
    );
  });

  test("follow from the key, and the key from the seed", () => {
    const of = (key: Buffer) => new Renaming(key).account("U1@DOM1");
    assert.equal(of(keyOfSeed(1)), of(keyOfSeed(1)));
    assert.notEqual(of(keyOfSeed(1)), of(keyOfSeed(2)));
    assert.notEqual(of(randomKey()), of(randomKey()));
  });
});

test("the names that a record came with can be asked for until the next one is decoded", () => {
  const renaming = new Renaming(randomKey());
  const plain = createDecoder("lanl", { lanlStartMs: 0 });
  const bytes = Buffer.from(LINE);
  renamed(renaming, LINE);
  const decoded = plain.decode(bytes, 0, bytes.length);
  assert(decoded.kind === "login");
  assert.deepEqual(renaming.original(), decoded.login.toLogin());
});

test("records that are no login, absent names and JSON come through as they are", () => {
  const renaming = new Renaming(randomKey());
  const decoder = renaming.wrap(createDecoder("auto", { lanlStartMs: 0 }));
  const decode = (line: string) => decoder.decode(Buffer.from(line), 0, Buffer.byteLength(line)).kind;
  assert.equal(decode("7,U1@DOM1,U1@DOM1,C5,C6,?,?,LogOff,Success"), "ignored");
  assert.equal(decode("nonsense"), "rejected");
  const login = renamed(renaming, '{"timeMs":1,"user":"ann","targetHost":"web1"}');
  assert.equal(login.sourceHost, "");
  assert.equal(login.user, login.targetUser);
  assert.equal(renaming.original().user, "ann");
  assert.equal(renaming.original().targetHost, "web1");
});
