import assert from "node:assert/strict";
import { countText, scoreText } from "./numbers.ts";
import { shortened } from "./outside-text.ts";
import { PLAIN, painted, type Screen } from "./screen.ts";

const DECADES_MAX = 20;

/** Bars longer than this say no more. */
const BAR_LENGTH_MAX = 50;

/**
 * How many logins scored how odd, one line a decade, the oddest first:
 *
 *   1e-6 .. 1e-5 |##            3
 *   --- threshold 1.0e-5: alerts are above this line ---
 *   1e-5 .. 1e-4 |####         12
 *   ...
 *   1e-1 .. 1    |###### 900,000
 *
 * Bars grow with the logarithm, or a decade of a dozen would vanish beside one of a million. Empty decades at both ends
 * are left out. A threshold inside a decade has its line below that decade, and says so.
 *
 * @param decades counts of scores in (0, 1], at most 20: the last is 0.1 to 1, the one before 0.01 to 0.1, and the first takes
 *   everything below as well
 * @param threshold a score below it is an alert; none is drawn for null
 * @returns lines no wider than the screen
 */
export function renderHistogram(
  decades: readonly number[],
  threshold: number | null,
  screen: Screen = PLAIN,
): string[] {
  assert(decades.length <= DECADES_MAX, "at most 20 decades");
  const hasThreshold = threshold !== null && threshold > 0 && threshold < 1;
  const thresholdRow = hasThreshold ? rowOf(threshold, decades.length) : undefined;
  const rows = decades.map((_, i) => i).filter((i) => decades[i] > 0);
  if (rows.length === 0) return ["no scores yet"];
  const first = Math.min(rows[0], thresholdRow ?? rows[0]);
  const last = Math.max(rows[rows.length - 1], thresholdRow ?? 0);

  const labels = decades.map((_, i) => labelOf(i, decades.length));
  const labelWidth = Math.max(...labels.slice(first, last + 1).map((label) => label.length));
  const largest = Math.max(...decades);
  const countWidth = countText(largest).length;
  const barMax = Math.max(0, Math.min(BAR_LENGTH_MAX, screen.columns - labelWidth - 3 - countWidth));

  const lines: string[] = [];
  for (let i = first; i <= last; i++) {
    const bar = "#".repeat(barLength(decades[i], largest, barMax)).padEnd(barMax);
    const line = `${labels[i].padEnd(labelWidth)} |${bar} ${countText(decades[i]).padStart(countWidth)}`;
    lines.push(shortened(line, screen.columns));
    if (i === thresholdRow) lines.push(thresholdLine(threshold!, i, decades.length, screen));
  }
  return lines;
}

/** Upper edge of a decade, exactly the number one would write; `10 ** -5` is not 1e-5 everywhere. */
function upperEdge(row: number, length: number): number {
  return Number(`1e${row - length + 1}`);
}

/** The decade below whose upper edge, or at it, the threshold lies. */
function rowOf(threshold: number, length: number): number {
  let row = length - 1;
  while (row > 0 && threshold <= upperEdge(row - 1, length)) row--;
  return row;
}

function labelOf(row: number, length: number): string {
  const exponent = row - length;
  const high = exponent === -1 ? "1" : `1e${exponent + 1}`;
  return row === 0 && length > 1 ? `below ${high}` : `1e${exponent} .. ${high}`;
}

function barLength(count: number, largest: number, barMax: number): number {
  if (count === 0) return 0;
  return Math.max(Math.min(1, barMax), Math.round((Math.log1p(count) / Math.log1p(largest)) * barMax));
}

function thresholdLine(threshold: number, row: number, length: number, screen: Screen): string {
  const where =
    threshold === upperEdge(row, length) ? "alerts are above this line" : "inside the decade above";
  return painted(
    screen,
    "yellow",
    shortened(`--- threshold ${scoreText(threshold)}: ${where} ---`, screen.columns),
  );
}
