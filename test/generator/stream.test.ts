import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { test } from "node:test";
import { LOOK_ALIKES, SCENARIO_NAMES } from "../../src/generator/scenarios/index.ts";
import { LoginStream } from "../../src/generator/stream.ts";
import { sizeOf, sizeProblem } from "../../src/generator/stream-size.ts";
import { createDecoder } from "../../src/ingest/formats/index.ts";
import { generated, rowsOf } from "./stream-statistics.ts";

const size = sizeOf(40_000, { days: 8 });

const linesOf = (bytes: Buffer): string[] => bytes.toString("latin1").trimEnd().split("\n");

test("the same seed gives the same bytes, another seed gives others", () => {
  const first = generated({ size, seed: 5, scenarios: SCENARIO_NAMES }).bytes;
  assert.ok(first.equals(generated({ size, seed: 5, scenarios: SCENARIO_NAMES }).bytes));
  const other = new Set(linesOf(generated({ size, seed: 6 }).bytes));
  const common = linesOf(first).filter((line) => other.has(line)).length;
  assert.ok(common < 0.01 * other.size, `${common} lines in common`);
});

test("a stream has exactly the rows asked for and those of its scenarios, in the order of time, to its last day", () => {
  for (const logins of [1000, 12_345]) {
    const { stream, bytes } = generated({ size: sizeOf(logins), seed: 1, scenarios: ["star", "new-server"] });
    assert.equal(linesOf(bytes).length, logins + stream.injectedRows);
    assert.equal(stream.rows, logins + stream.injectedRows);
    let before = 1;
    for (const { second } of rowsOf(bytes)) {
      assert.ok(second >= before);
      before = second;
    }
    const days = sizeOf(logins).days;
    assert.ok(before < days * 86_400 && before > (days - 0.1) * 86_400, `ends at ${before}`);
  }
});

test("the reader of LANL's format rejects no row", () => {
  const { bytes } = generated({ size, seed: 2, scenarios: SCENARIO_NAMES });
  const decoder = createDecoder("lanl", { lanlStartMs: 0 });
  const kinds = { login: 0, evidence: 0, ignored: 0 };
  for (let start = 0, end = bytes.indexOf(10); end >= 0; start = end + 1, end = bytes.indexOf(10, start)) {
    const decoded = decoder.decode(bytes, start, end);
    assert.ok(decoded.kind !== "rejected", bytes.toString("latin1", start, end));
    kinds[decoded.kind]++;
  }
  for (const [kind, count] of Object.entries(kinds))
    assert.ok(count > 0.05 * size.logins, `${count} ${kind}`);
});

for (const scenario of SCENARIO_NAMES) {
  test(`${scenario} adds its rows after a third of the stream and changes no other, and its labels are its logins`, () => {
    const plain = linesOf(generated({ size, seed: 4, scenarios: ["insider"] }).bytes);
    if (scenario === "insider") plain.splice(0, plain.length, ...linesOf(generated({ size, seed: 4 }).bytes));
    const scenarios = scenario === "insider" ? (["insider"] as const) : (["insider", scenario] as const);
    const { stream, bytes } = generated({ size, seed: 4, scenarios });
    const added: string[] = [];
    let at = 0;
    for (const line of linesOf(bytes)) {
      if (line === plain[at]) at++;
      else added.push(line);
    }
    assert.equal(at, plain.length, "every other row is there, in its order");

    const key = (...parts: unknown[]) => parts.join(",");
    const logins = [...rowsOf(Buffer.from(`${added.join("\n")}\n`))]
      .filter(({ orientation }) => orientation === "LogOn")
      .map(({ second, targetUser, source, target }) => key(second, targetUser, source, target));
    const labels = stream.labels
      .filter((label) => label.scenario === scenario)
      .map(({ second, user, sourceHost, targetHost }) => key(second, user, sourceHost, targetHost));
    assert.deepEqual(logins.sort(), labels.sort());
    assert.ok(labels.length >= 5 && labels.length <= 80, `${labels.length} logins`);
    for (const line of added) assert.ok(Number(line.split(",")[0]) > (size.days * 86_400) / 3 - 7200, line);

    // A label finds its own login and no other: evaluate compares these four columns.
    const wanted = new Set(labels);
    let found = 0;
    for (const { second, targetUser, source, target, orientation } of rowsOf(bytes))
      if (orientation === "LogOn" && wanted.has(key(second, targetUser, source, target))) found++;
    assert.equal(found, labels.length);
  });
}

test("attacks by Kerberos leave no weak login, and stolen tickets are mostly used without any request", () => {
  const plain = new Set(linesOf(generated({ size, seed: 9 }).bytes));
  for (const scenario of ["stolen-ticket", "golden-ticket", "insider", "low-and-slow"] as const) {
    const lines = linesOf(generated({ size, seed: 9, scenarios: [scenario] }).bytes).filter(
      (line) => !plain.has(line),
    );
    const count = (text: string) => lines.filter((line) => line.includes(text)).length;
    const logins = count("Kerberos,Network,LogOn");
    assert.ok(logins >= 5, scenario);
    assert.equal(count("NTLM"), 0, scenario);
    assert.equal(count(",TGT,"), 0, scenario);
    const requests = count(",TGS,") / logins;
    if (scenario === "stolen-ticket") assert.ok(requests < 0.6, `${requests} requests a login`);
    if (scenario === "golden-ticket") assert.ok(requests > 0 && requests < 1, `${requests} requests a login`);
    if (scenario === "insider" || scenario === "low-and-slow") assert.equal(requests, 1);
  }
});

test("look-alikes use an account or a host that was never seen before", () => {
  const { stream } = generated({ size, seed: 4, scenarios: LOOK_ALIKES });
  const plain = new LoginStream({ size, seed: 4 });
  const known = new Set<string>();
  for (const chunk of plain.chunks())
    for (const { user, source, target } of rowsOf(Buffer.from(chunk)))
      known.add(user).add(source).add(target);
  for (const { scenario, user, sourceHost, targetHost } of stream.labels) {
    if (scenario === "new-employee") assert.ok(!known.has(user) && !known.has(sourceHost));
    else assert.ok(!known.has(targetHost) || !known.has(sourceHost));
  }
});

test("a size that can't be made is refused with the reason", () => {
  assert.equal(sizeProblem(sizeOf(1000)), undefined);
  assert.deepEqual(sizeOf(1_051_430_459), { logins: 1_051_430_459, days: 58, users: 12_425, hosts: 17_684 });
  assert.match(sizeProblem(sizeOf(999)) ?? "", /--logins/);
  assert.match(sizeProblem(sizeOf(1e6, { days: 0 })) ?? "", /--days/);
  assert.match(sizeProblem(sizeOf(1e6, { users: 19.5 })) ?? "", /--users/);
  assert.match(sizeProblem(sizeOf(1e6, { users: 100, hosts: 100 })) ?? "", /--hosts/);
  assert.match(sizeProblem(sizeOf(10_000, { users: 1000 })) ?? "", /more logins/);
});
