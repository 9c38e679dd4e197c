import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, test } from "node:test";
import { gzipSync } from "node:zlib";
import fc from "fast-check";
import { OddlinkError } from "../../src/errors.ts";
import { type Labels, type ReadLabelsOptions, readLabels } from "../../src/evaluation/labels.ts";
import type { Login } from "../../src/ingest/login.ts";

const directory = mkdtempSync(join(tmpdir(), "oddlink-labels-"));
after(() => rmSync(directory, { recursive: true }));

const seconds = (text: string): number => (/^\d+$/.test(text) ? Number(text) * 1000 : Number.NaN);

function labelsOf(content: string | Buffer, options: Partial<ReadLabelsOptions> = {}): Promise<Labels> {
  const file = join(directory, "labels");
  writeFileSync(file, content);
  return readLabels(file, { toTimeMs: seconds, ...options });
}

/** A good header and a bad body. */
function damagedGzip(): Buffer {
  const bytes = gzipSync("1,a,b,c\n".repeat(50));
  bytes.fill(0xff, 10, 20);
  return bytes;
}

function login(changes: Partial<Login> = {}): Login {
  return {
    timeMs: 150_885_000,
    user: "alice",
    targetUser: "bob",
    sourceHost: "C1",
    targetHost: "C2",
    authType: "NTLM",
    logonType: "Network",
    outcome: "success",
    evidence: "weak",
    ...changes,
  };
}

describe("LANL's own form", () => {
  test("a login is positive if time, target user, source and target are equal", async () => {
    const labels = await labelsOf("150885,bob,C1,C2\n");
    assert.deepEqual(labels.columns, ["time", "user", "sourceHost", "targetHost"]);
    assert.equal(labels.matches(login()), true);
    assert.equal(labels.matches(login({ user: "carol", authType: "Kerberos", outcome: "failure" })), true);
    assert.equal(labels.matches(login({ timeMs: 150_886_000 })), false);
    assert.equal(labels.matches(login({ user: "bob", targetUser: "alice" })), false);
    assert.equal(labels.matches(login({ sourceHost: "C2" })), false);
    assert.equal(labels.matches(login({ targetHost: "C1" })), false);
  });

  test("a login that names no target user is compared by its user", async () => {
    const labels = await labelsOf("150885,bob,C1,C2\n");
    assert.equal(labels.matches(login({ user: "bob", targetUser: "" })), true);
    assert.equal(labels.matches(login({ user: "alice", targetUser: "" })), false);
  });

  test("duplicate lines count as lines and once as a label", async () => {
    const labels = await labelsOf("1,a,C1,C2\n1,a,C1,C2\n\n2,a,C1,C2\r\n1,a,C1,C2");
    assert.equal(labels.lines, 4);
    assert.equal(labels.distinct, 2);
  });

  test("labels that no login matched are told with their lines", async () => {
    const labels = await labelsOf("150885,bob,C1,C2\n1,b,C1,C2\n1,b,C1,C2\n2,c,C1,C2\n");
    assert.equal(labels.matched, 0);
    labels.matches(login());
    labels.matches(login());
    assert.equal(labels.matched, 1);
    assert.deepEqual(labels.unmatched(), [
      { line: 2, text: "1,b,C1,C2" },
      { line: 4, text: "2,c,C1,C2" },
    ]);
    assert.deepEqual(labels.unmatched(1), [{ line: 2, text: "1,b,C1,C2" }]);
  });

  test("a login that equals a label in every single column, but of different labels, is negative", async () => {
    const labels = await labelsOf("150885,bob,C1,C9\n150885,eve,C1,C2\n");
    assert.equal(labels.matches(login()), false);
  });
});

describe("a CSV with a header", () => {
  test("only the named columns are compared, in any order", async () => {
    const labels = await labelsOf("targetHost,user,outcome\nC2,alice,success\n");
    assert.equal(labels.matches(login({ timeMs: 7, targetUser: "x", sourceHost: "y" })), true);
    assert.equal(labels.matches(login({ outcome: "failure" })), false);
    assert.equal(labels.matches(login({ user: "bob" })), false);
  });

  test("user means the user, targetUser the target user", async () => {
    const labels = await labelsOf("user,targetUser\nbob,alice\n");
    assert.equal(labels.matches(login()), false);
    assert.equal(labels.matches(login({ user: "bob", targetUser: "alice" })), true);
  });

  test("time is in the source's own unit and timeMs in milliseconds", async () => {
    assert.equal((await labelsOf("time,user\n150885,alice\n")).matches(login()), true);
    assert.equal((await labelsOf("timeMs,user\n150885000,alice\n")).matches(login()), true);
    assert.equal((await labelsOf("timeMs\n150885000.5\n")).matches(login({ timeMs: 150_885_000.5 })), true);
  });

  test("every column of a login can be named", async () => {
    const header = "time,user,targetUser,sourceHost,targetHost,authType,logonType,outcome";
    const labels = await labelsOf(`${header}\n150885,alice,bob,C1,C2,NTLM,Network,success\n`);
    assert.equal(labels.matches(login()), true);
    assert.equal(labels.matches(login({ logonType: "Batch" })), false);
  });

  test("an empty cell equals what the login does not say", async () => {
    const labels = await labelsOf("user,authType\nalice,\n");
    assert.equal(labels.matches(login()), false);
    assert.equal(labels.matches(login({ authType: "" })), true);
  });

  test("quotes, spaces around cells and a byte order mark are understood", async () => {
    const labels = await labelsOf('\u{feff}user , sourceHost\r\n"a, b" ,C1\r\n');
    assert.equal(labels.matches(login({ user: "a, b" })), true);
  });

  test("one name can't pretend to be two columns", async () => {
    const labels = await labelsOf("user,targetUser\na1:b,c\n");
    assert.equal(labels.matches(login({ user: "a", targetUser: "b1:c" })), false);
  });
});

describe("gzip", () => {
  test("is recognised by its first bytes, not by its name", async () => {
    const labels = await labelsOf(gzipSync("150885,bob,C1,C2\n"));
    assert.equal(labels.matches(login()), true);
  });

  test("of several members is read to the end", async () => {
    const labels = await labelsOf(Buffer.concat([gzipSync("1,a,b,c\n"), gzipSync("2,a,b,c\n")]));
    assert.equal(labels.distinct, 2);
  });
});

test("a pipe can be read too", async () => {
  const pipe = join(directory, "pipe");
  execFileSync("mkfifo", [pipe]);
  const reading = readLabels(pipe, { toTimeMs: seconds });
  await writeFile(pipe, gzipSync("1,a,b,c\n"));
  assert.equal((await reading).distinct, 1);
});

describe("a column of scenarios", () => {
  test("is compared with nothing and told with the label", async () => {
    const labels = await labelsOf("scenario,time,user,sourceHost\nstar,150885,alice,C1\n,150886,alice,C1\n");
    assert.deepEqual(labels.columns, ["time", "user", "sourceHost"]);
    assert.equal(labels.find(login())?.scenario, "star");
    assert.equal(labels.find(login({ timeMs: 150_886_000 }))?.scenario, undefined);
    assert.equal(labels.find(login({ user: "bob" })), undefined);
    assert.equal(labels.matched, 2);
  });

  test("may stand last, and of labels equal but for it the first counts", async () => {
    const labels = await labelsOf("user,scenario\nalice,star\nalice,chain\n");
    assert.equal(labels.distinct, 1);
    assert.equal(labels.find(login())?.scenario, "star");
  });

  test("may be as long as it likes: it is no name", async () => {
    const labels = await labelsOf(`user,scenario\nalice,${"x".repeat(300)}\n`);
    assert.equal(labels.find(login())?.scenario?.length, 300);
  });
});

describe("errors", () => {
  const cases: [name: string, content: string | Buffer, message: RegExp][] = [
    ["an empty file", "", /holds no labels$/],
    ["a file of blank lines", "\n \n", /holds no labels$/],
    ["a header alone", "time,user\n", /holds no labels, only a header/],
    ["an unknown column", "time,host\n1,a\n", /line 1: unknown column "host".*sourceHost/],
    ["a column named twice", "user,user\na,b\n", /line 1: column user is named twice/],
    ["both times", "time,timeMs\n1,1000\n", /line 1: both time and timeMs/],
    ["scenarios of nothing", "scenario\nstar\n", /line 1: scenario alone names no column of a login/],
    ["two columns of scenarios", "scenario,user,scenario\n", /line 1: column scenario is named twice/],
    ["a row without its scenario", "user,scenario\na\n", /line 2: 1 columns, expected 2: user, scenario/],
    ["too few columns of LANL's form", "1,a,b,c\n\n2,a,b\n", /line 3: 3 columns, expected 4/],
    ["too many columns", "user\na,b\n", /line 2: 2 columns, expected 1: user/],
    ["a time that is none", "1,a,b,c\nsoon,a,b,c\n", /line 2: "soon" is not a time of this source/],
    ["a time in milliseconds that is none", "timeMs\n1e3\n", /line 2: "1e3" is not a time in milliseconds/],
    ["an empty cell of LANL's form", "1,a,,c\n", /line 1: sourceHost is empty/],
    ["an empty user", "user,authType\n,NTLM\n", /line 2: user is empty/],
    ["an unknown outcome", "user,outcome\na,Fail\n", /line 2: outcome "Fail" is none of unknown, success/],
    ["a name too long", `user\n${"x".repeat(257)}\n`, /line 2: user is longer than 256 bytes/],
    ["a quote never closed", '1,a,b,c\n2,"a,b,c\n', /line 2: Quote Not Closed/],
    ["a quote inside a cell", '1,a,b,c\n2,a"b,b,c\n', /line 2: Invalid Opening Quote/],
    ["a row without end", "x".repeat(100_000), /line 1: Max Record Size/],
    [
      "a gzip cut short",
      gzipSync("1,a,b,c\n".repeat(50)).subarray(0, 25),
      /damaged gzip or cut short, after line \d+/,
    ],
    ["a gzip damaged", damagedGzip(), /damaged gzip or cut short/],
    ["a control character in a cell", "time\n\u001b[31m\n", /"\\u001b\[31m" is not a time/],
  ];
  for (const [name, content, message] of cases) {
    test(`${name} is LABELS_INVALID`, async () => {
      await assert.rejects(labelsOf(content), (error) => {
        assert(error instanceof OddlinkError);
        assert.equal(error.code, "LABELS_INVALID");
        assert.match(error.message, message);
        return true;
      });
    });
  }

  test("a converter that throws is a bad time of that line", async () => {
    const toTimeMs = (): number => {
      throw new Error("no such calendar");
    };
    await assert.rejects(labelsOf("1,a,b,c\n", { toTimeMs }), /line 1: "1" is not a time.*no such calendar/);
  });

  test("more labels than the bound are refused, duplicates do not count", async () => {
    assert.equal((await labelsOf("user\na\na\nb\n", { countMax: 2 })).distinct, 2);
    await assert.rejects(
      labelsOf("user\na\na\nb\nc\n", { countMax: 2 }),
      /line 5: more than 2 different labels/,
    );
  });

  test("a missing file and a directory are no bad labels", async () => {
    const read = (file: string) => readLabels(file, { toTimeMs: seconds });
    await assert.rejects(read(join(directory, "none")), { code: "SOURCE_NOT_FOUND" });
    await assert.rejects(read(directory), { code: "SOURCE_NOT_FOUND" });
  });
});

test("matching agrees with a comparison of every column with every label", async () => {
  const small = fc.record({
    timeMs: fc.integer({ min: 0, max: 2 }),
    user: fc.constantFrom("a", "b", "1:a"),
    targetUser: fc.constantFrom("", "a", "b"),
    sourceHost: fc.constantFrom("", "C1", "C2"),
  });
  const columns = fc.subarray(["timeMs", "user", "targetUser", "sourceHost"] as const, { minLength: 2 });
  await fc.assert(
    fc.asyncProperty(
      fc.array(small, { minLength: 1, maxLength: 6 }),
      columns,
      fc.array(small, { maxLength: 20 }),
      async (named, header, others) => {
        const rows = named.map((row) => header.map((column) => `"${row[column]}"`).join(","));
        const labels = await labelsOf(`${header.join(",")}\n${rows.join("\n")}\n`);
        for (const other of [...others, ...named]) {
          const expected = named.some((row) => header.every((column) => row[column] === other[column]));
          assert.equal(labels.matches(login(other)), expected);
        }
        assert.equal(labels.matched, labels.distinct);
      },
    ),
    { numRuns: 50 },
  );
});
