import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { barChart, lineChart, stackedChart } from "../../src/html/chart.ts";
import { Markup, markup } from "../../src/html/markup.ts";
import { timeTicks } from "../../src/html/time-ticks.ts";

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

describe("times on an axis", () => {
  const texts = (hours: number) => timeTicks([0, hours * 3_600_000], 5).map(([, text]) => text);

  test("are hours within a day or two, and days beyond", () => {
    assert.deepEqual(texts(6).slice(0, 3), ["01-01 00:00", "01-01 01:00", "01-01 02:00"]);
    assert.deepEqual(texts(24 * 5).slice(0, 2), ["1970-01-01", "1970-01-02"]);
  });

  test("are few, however long the time is", () => {
    for (const hours of [1, 5, 30, 200, 3000, 100_000, 1_000_000]) {
      const { length } = texts(hours);
      assert.ok(length >= 2 && length <= 9, `${length} in ${hours} hours`);
    }
  });
});

test("a stack is as high as the sum of its parts, and a legend names them", () => {
  const y = { label: "alerts", domain: [0, 10], kind: "whole" } as const;
  const x = { label: "time", domain: [0, 7_200_000], kind: "time" } as const;
  const stacks = [{ from: 0, to: 3_600_000, parts: [3, 0, 7], title: "<one>" }];
  const { text } = stackedChart("a chart", x, y, ["presence", "link", "volume"], stacks);
  const heights = [...text.matchAll(/height="([\d.]+)" class/g)].map(([, height]) => Number(height));
  assert.equal(
    heights.slice(0, 2).reduce((sum, height) => sum + height, 0),
    264,
  );
  assert.match(text, /<title>&lt;one&gt;<\/title>/);
  assert.match(text, /<\/svg> link<\/li>/);
});
