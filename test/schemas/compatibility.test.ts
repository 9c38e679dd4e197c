import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { test } from "node:test";
import avro from "avsc";
import { AvroLoginReader, loginPlanOf } from "../../src/ingest/formats/avro-login.ts";

const SCHEMAS = join(import.meta.dirname, "..", "..", "schemas");
const VALUES = 200;

const read = (...path: string[]): string => readFileSync(join(SCHEMAS, ...path), "utf8");
const typeOf = (text: string): avro.Type => avro.Type.forSchema(JSON.parse(text));
/** Records of two types are never deeply equal: avsc gives each type a class of its own. */
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value ?? null));

const names = readdirSync(SCHEMAS)
  .filter((file) => file.endsWith(".avsc"))
  .map((file) => file.replace(".avsc", ""));

for (const name of names) {
  const versions = readdirSync(join(SCHEMAS, "history", name)).sort();

  for (const version of versions) {
    test(`the ${name} schema of today reads what version ${version} wrote`, () => {
      const today = typeOf(read(`${name}.avsc`));
      const writer = typeOf(read("history", name, version));
      const resolver = today.createResolver(writer);
      for (let i = 0; i < VALUES; i++) {
        const value = writer.random() as unknown as Record<string, unknown>;
        const bytes = writer.toBuffer(value);
        const back = today.fromBuffer(bytes, resolver) as Record<string, unknown>;
        for (const field of (today as avro.types.RecordType).fields) {
          // Records within may have got fields too.
          if (field.name in value)
            assert.partialDeepStrictEqual(plain(back[field.name]), plain(value[field.name]));
          else assert.deepEqual(plain(back[field.name]), plain(field.defaultValue()), field.name);
        }
      }
    });
  }
}

for (const version of readdirSync(join(SCHEMAS, "history", "login")).sort()) {
  test(`logins written with version ${version} are logins today`, () => {
    const schema = read("history", "login", version);
    const bytes = typeOf(schema).toBuffer({
      timeMs: 1_700_000_000_000,
      user: "ann",
      targetHost: "db",
      authType: "Kerberos",
      outcome: "success",
    });
    const decoded = new AvroLoginReader().read(loginPlanOf(schema), bytes, 0, bytes.length);
    assert.ok(decoded.kind === "login");
    assert.deepEqual(decoded.login.toLogin(), {
      timeMs: 1_700_000_000_000,
      user: "ann",
      targetUser: "ann",
      sourceHost: "",
      targetHost: "db",
      authType: "Kerberos",
      logonType: "",
      outcome: "success",
      evidence: "strong",
    });
  });
}

test("every published schema has a history", () => {
  assert.deepEqual(names.toSorted(), ["alert", "ecs-signal", "login", "scored-login", "segment"]);
  for (const name of names) assert.ok(readdirSync(join(SCHEMAS, "history", name)).length > 0, name);
});
