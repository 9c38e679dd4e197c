import assert from "node:assert/strict";
import { describe, test } from "node:test";
import fc from "fast-check";
import { renderHistogram } from "../../../src/cli/terminal/histogram.ts";
import { PLAIN } from "../../../src/cli/terminal/screen.ts";

/** Counts by the exponent of the decade's lower edge: `{ 5: 12 }` is a dozen between 1e-5 and 1e-4. */
function decades(counts: Record<number, number>, length = 20): number[] {
  return Array.from({ length }, (_, i) => counts[length - i] ?? 0);
}

test("one row a decade, the oddest first, empty ends left out, bars by logarithm", () => {
  const lines = renderHistogram(decades({ 5: 3, 3: 12, 1: 900_000 }), 1e-4, { ...PLAIN, columns: 40 });
  assert.deepEqual(lines, [
    "1e-5 .. 1e-4 |##                       3",
    "--- threshold 1.0e-4: alerts are above …",
    "1e-4 .. 1e-3 |                         0",
    "1e-3 .. 1e-2 |###                     12",
    "1e-2 .. 1e-1 |                         0",
    "1e-1 .. 1    |################## 900,000",
  ]);
});

describe("the threshold's line", () => {
  const at = (threshold: number | null) => renderHistogram(decades({ 6: 1, 3: 5 }), threshold);
  const rowAbove = (lines: string[]) => lines[lines.findIndex((line) => line.startsWith("---")) - 1];

  test("on an edge lies between two decades", () => {
    const lines = at(1e-5);
    assert.match(rowAbove(lines), /^1e-6 \.\. 1e-5/);
    assert.match(lines[1], /^--- threshold 1\.0e-5: alerts are above this line ---$/);
  });

  test("inside a decade lies below it, and says so", () => {
    const lines = at(3e-5);
    assert.match(rowAbove(lines), /^1e-5 \.\. 1e-4/);
    assert(lines.includes("--- threshold 3.0e-5: inside the decade above ---"));
  });

  test("stands also where no login scored", () => {
    assert.match(rowAbove(at(1e-9)), /^1e-10 \.\. 1e-9 /);
    assert.match(rowAbove(at(0.5)), /^1e-1 \.\. 1 /);
    assert.match(rowAbove(at(1e-30)), /^below 1e-19/);
  });

  test("is left out where there is none", () => {
    for (const none of [null, 0, 1, Number.NaN]) assert.equal(at(none).length, 4);
  });

  test("is coloured where there are colours", () => {
    const lines = renderHistogram(decades({ 3: 5 }), 1e-3, { isLive: true, columns: 80, hasColor: true });
    assert(lines[1].startsWith("\u001b[33m--- threshold"));
    assert(lines[1].endsWith(" ---\u001b[39m"));
  });
});

test("the first decade holds everything below", () => {
  assert.match(renderHistogram(decades({ 20: 1 }), null)[0], /^below 1e-19 \|#+ 1$/);
  assert.match(renderHistogram([4, 2], null)[0], /^below 1e-1 {1,2}\|#+ 4$/);
});

test("without scores it says so", () => {
  assert.deepEqual(renderHistogram(decades({}), 1e-5), ["no scores yet"]);
  assert.deepEqual(renderHistogram([], null), ["no scores yet"]);
});

test("more than 20 decades are a bug", () => {
  assert.throws(() => renderHistogram(new Array(21).fill(1), null), { code: "ERR_ASSERTION" });
});

test("no line is ever wider than the terminal, a larger count never has a shorter bar", () => {
  fc.assert(
    fc.property(
      fc.array(fc.oneof(fc.constant(0), fc.nat(), fc.nat({ max: 5 })), { minLength: 1, maxLength: 20 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.integer({ min: 1, max: 200 }),
      (counts, threshold, columns) => {
        const lines = renderHistogram(counts, threshold, { ...PLAIN, columns });
        if (counts.some((count) => count > 0)) for (const line of lines) assert(line.length <= columns);
        if (columns < 60) return;
        const bars = lines.filter((line) => line.includes("|")).map((line) => /\|(#*)/.exec(line)![1].length);
        const shown = lines
          .filter((line) => line.includes("|"))
          .map((line) => Number(/([\d,]+)$/.exec(line)![1].replaceAll(",", "")));
        for (let i = 1; i < bars.length; i++) {
          assert.equal(bars[i] > 0, shown[i] > 0);
          if (shown[i] >= shown[i - 1]) assert(bars[i] >= bars[i - 1]);
        }
      },
    ),
  );
});
