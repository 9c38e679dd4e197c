import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { toCef } from "../../src/alerts/cef.ts";
import { toFinding } from "../../src/alerts/finding.ts";
import { oddLoginArbitrary, STOLEN, withLogin } from "./odd-logins.ts";

type Parsed = { readonly header: readonly string[]; readonly fields: ReadonlyMap<string, string> };

/** By the rules of the published format: a backslash takes a bar in the header, and an equals sign in a value, for what it is. */
function parsed(line: string): Parsed {
  assert.doesNotMatch(line, /[\r\n]/);
  const header = /^((?:[^|\\]|\\[|\\])*\|){7}/.exec(line)?.[0];
  assert.ok(header !== undefined, line);
  const parts = header.split(/(?<!\\)(?:\\\\)*\|/).slice(0, 7);
  const fields = new Map<string, string>();
  // A key is a word before an equals sign that no backslash takes away its meaning from.
  const pattern = /(?:^| )([A-Za-z0-9]+)=((?:[^=\\]|\\[=\\])*?)(?= [A-Za-z0-9]+=|$)/gy;
  const extension = line.slice(header.length);
  let end = 0;
  for (const match of extension.matchAll(pattern)) {
    assert.equal(match.index, end, `something between fields: ${extension}`);
    fields.set(match[1]!, match[2]!.replace(/\\([=\\])/g, "$1"));
    end = match.index + match[0].length;
  }
  assert.equal(end, extension.length, extension);
  return { header: parts, fields };
}

test("an alert says who, from where, to where, and why, in the names of the format's dictionary", () => {
  const odd = withLogin(STOLEN, { sourceHost: "10.0.0.7", targetHost: "fe00::1", targetUser: "root" });
  const { header, fields } = parsed(toCef(toFinding(odd)));
  assert.deepEqual(header.slice(0, 3), ["CEF:0", "oddlink", "oddlink"]);
  assert.equal(header[4], "default/presence");
  assert.equal(header[6], "8");
  for (const [key, value] of Object.entries({
    suser: "alice@CORP",
    duser: "root",
    src: "10.0.0.7",
    c6a3: "fe00::1",
    c6a3Label: "Destination IPv6 Address",
    externalId: odd.uid,
    cs1: odd.incidentUid,
    cs2: "presence",
    cs3: "0.00001",
    cnt: "1",
    outcome: "success",
  }))
    assert.equal(fields.get(key), value, key);
  assert.match(fields.get("msg")!, /alice@CORP/);
});

test("what somebody calls himself can't forge a field, a header or a second event", () => {
  const name = 'x|y\\ duser=admin msg=fine\nCEF:0|evil|evil|1|1|"|10|suser=a';
  const { fields } = parsed(toCef(toFinding(withLogin(STOLEN, { user: name, targetUser: "bob" }))));
  assert.equal(fields.get("duser"), "bob");
  assert.equal(fields.get("suser"), name.replace("\n", " "));
});

test("any alert is one line that can be read back", () => {
  fc.assert(
    fc.property(oddLoginArbitrary, (odd) => {
      const { fields } = parsed(toCef(toFinding(odd)));
      assert.equal(fields.get("externalId"), odd.uid);
      assert.ok((fields.get("msg") ?? "").length <= 1023);
    }),
    { numRuns: 2000 },
  );
});
