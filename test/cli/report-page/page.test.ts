import assert from "node:assert/strict";
import { hash } from "node:crypto";
import { describe, test } from "node:test";
import fc from "fast-check";
import { toFinding } from "../../../src/alerts/finding.ts";
import { reportPage } from "../../../src/cli/report-page/page.ts";
import { STOLEN } from "../../alerts/odd-logins.ts";
import { elements } from "../../html/elements.ts";
import { reportOf } from "./reports.ts";

const HOSTILE = [
  "<script>alert(1)</script>",
  "</style></svg></title><img src=x onerror=alert(1)>",
  `a"b'c&d;`,
  "x".repeat(4096),
  "\u202egnp.exe",
  "\u05e9\u05dc\u05d5\u05dd",
  "\u{1f469}\u200d\u{1f4bb}",
  "javascript:alert(1)",
  "https://evil.example/x.js",
  "line\nbreak\u0000\u001b[31m",
];

describe("a report", () => {
  const html = reportPage(reportOf(["ann", "bob"]));

  test("has all its parts, and figures that add up", () => {
    for (const id of ["summary", "incidents", "graph", "scores", "time", "baselines"])
      assert.ok(html.includes(`<section id="${id}"`), id);
    assert.match(html, /in all<\/th><td>100<\/td><td>the sum of these/);
    assert.match(html, /<h3>1\. <bdi class="name">ann<\/bdi> from <bdi class="name">bob<\/bdi><\/h3>/);
    assert.match(html, /What to do next/);
    assert.match(html, /threshold 0\.0014/);
    assert.doesNotMatch(html, /NaN|undefined|Infinity|\[object/);
  });

  test("says nothing of when, where and how fast it was made", () => {
    const report = reportOf(["ann", "bob"]);
    const summary = { ...report.summary, seconds: 99, loginsPerSecond: 1, written: ["/elsewhere/x.html"] };
    assert.equal(reportPage({ ...report, summary }), html);
  });

  test("loads nothing: no script, no address, and a policy that lets in its own style alone", () => {
    assert.doesNotMatch(html, /<script|<link|<img|<iframe|<object|https?:|url\(|@import|\son[a-z]+=|\ssrc=/i);
    const style = html.match(/<style>([\s\S]*?)<\/style>/)![1]!;
    const policy = html.match(/Content-Security-Policy" content="([^"]+)"/)![1]!;
    assert.equal(
      policy,
      `default-src 'none'; style-src 'sha256-${hash("sha256", style, "base64")}'; base-uri 'none'; form-action 'none'`,
    );
    assert.doesNotMatch(html, /\sstyle="/, "which the policy would not let in");
  });

  test("can be read aloud and walked through: captions, titles, and links that lead somewhere", () => {
    elements(html);
    const count = (pattern: RegExp) => [...html.matchAll(pattern)].length;
    assert.equal(count(/<table/g), count(/<caption>/g));
    const drawings = [...html.matchAll(/<svg [^>]*role="img"[^>]*>/g)].map(([tag]) => tag);
    assert.ok(drawings.length >= 4);
    for (const tag of drawings) assert.match(tag, /aria-label="|aria-labelledby="/);
    for (const [, names] of html.matchAll(/aria-labelledby="([^"]+)"/g))
      for (const id of names!.split(" ")) assert.ok(html.includes(`id="${id}"`), id);
    const ids = [...html.matchAll(/\sid="([^"]+)"/g)].map(([, id]) => id!);
    assert.equal(new Set(ids).size, ids.length);
    for (const [, target] of html.matchAll(/href="([^"]*)"/g))
      assert.ok(ids.includes(target!.slice(1)), target);
  });
});

test("names from outside are text, whatever they are, and long ones are cut", () => {
  const html = reportPage(reportOf(HOSTILE));
  const known = new Set(elements(reportPage(reportOf(["ann", "bob", "cid"]))));
  for (const name of elements(html)) assert.ok(known.has(name), `an element of its own: ${name}`);
  assert.doesNotMatch(html, /<script|<img|\u202e|\u200d|\u0000|\u001b/);
  assert.ok(html.includes("&lt;script&gt;alert(1)&lt;/script&gt;"));
  assert.ok(html.includes("\\u{202e}gnp.exe"));
  assert.ok(!html.includes("x".repeat(1001)));
  assert.doesNotMatch(html, /href="[^#]/);
});

test("no name at all makes markup of its own", () => {
  const known = new Set(elements(reportPage(reportOf(["ann", "bob", "cid"]))));
  fc.assert(
    fc.property(
      fc.array(fc.string({ unit: "binary", minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 3 }),
      (names) => {
        for (const element of elements(reportPage(reportOf(names)))) assert.ok(known.has(element), element);
      },
    ),
    { numRuns: 60 },
  );
});

test("a burst is headed by what the finding says of it, for no account stands for it", () => {
  const report = reportOf(["ann", "bob"]);
  const [first, ...others] = report.incidents;
  const burst = toFinding({ ...STOLEN, signal: "volume" });
  const html = reportPage({ ...report, incidents: [{ ...first!, findings: [burst] }, ...others] });
  assert.match(html, /<h3>1\. Unusual number of logins from laptop-9<\/h3>/);
  elements(html);
});

test("a run without an alert is a page too", () => {
  const report = reportOf([]);
  const html = reportPage({
    ...report,
    overTime: undefined,
    baselines: undefined,
    period: undefined,
    summary: { ...report.summary, decades: new Array<number>(20).fill(0), threshold: null },
  });
  elements(html);
  assert.match(html, /<h1>Odd logins: none found<\/h1>/);
  assert.match(html, /No alert was raised/);
  assert.doesNotMatch(html, /NaN|undefined|Infinity/);
});
