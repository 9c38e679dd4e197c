import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { barChart, lineChart } from "../../src/html/chart.ts";
import { Markup, markup } from "../../src/html/markup.ts";

describe("markup", () => {
  test("escapes what is put in, unless it is markup itself", () => {
    assert.equal(
      markup`<b title="${'"'}">${"<i>"}${new Markup("<br>")}${3}</b>`.text,
      '<b title="&quot;">&lt;i&gt;<br>3</b>',
    );
    assert.equal(markup`${[markup`<i>${1}</i>`, markup`<i>${2}</i>`]}`.text, "<i>1</i><i>2</i>");
  });
});

describe("charts", () => {
  const linear = (from: number, to: number) => ({ label: "x", domain: [from, to], kind: "linear" }) as const;

  test("draw every point inside the frame, the first at its axis", () => {
    const points = [1, 10, 100, 1000].map((n) => [n, n / 1000] as const);
    const x = { label: "alerts a day", domain: [1, 1000], kind: "log" } as const;
    const { text } = lineChart("a chart", x, linear(0, 1), [{ name: "one", points }]);
    const drawn = text
      .match(/points="([^"]+)"/)![1]!
      .split(" ")
      .map((pair) => pair.split(",").map(Number));
    assert.deepEqual(
      drawn.map(([left]) => left),
      [56, 242.7, 429.3, 616],
      "decades are equally wide",
    );
    for (const [left, top] of drawn) assert.ok(left! >= 56 && left! <= 616 && top! >= 12 && top! <= 276);
    assert.deepEqual(
      [...text.matchAll(/text-anchor="middle">(\d+)</g)].map(([, tick]) => tick),
      ["1", "10", "100", "1000"],
    );
  });

  test("a bar of nothing has no height, and one that is marked is drawn twice", () => {
    const bar = (height: number, marked?: number) => ({
      from: 0,
      to: 1,
      height,
      title: "",
      ...(marked === undefined ? {} : { marked }),
    });
    const heights = (...bars: Parameters<typeof barChart>[3][number][]) =>
      [...barChart("b", linear(0, 1), linear(0, 10), bars).text.matchAll(/height="([\d.]+)" class/g)].map(
        ([, h]) => Number(h),
      );
    assert.deepEqual(heights(bar(0)), [0]);
    assert.deepEqual(heights(bar(10)), [264]);
    assert.deepEqual(heights(bar(10, 5)), [264, 132]);
  });
});
