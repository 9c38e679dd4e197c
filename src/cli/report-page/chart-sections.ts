import { SIGNALS } from "../../alerts/odd-login.ts";
import { barChart, stackedChart } from "../../html/chart.ts";
import { type Markup, markup } from "../../html/markup.ts";
import { NOTHING, table } from "../../html/table.ts";
import { PRESENCE_SHARE } from "../../model/score.ts";
import { countText, scoreText } from "../terminal/numbers.ts";
import type { Report } from "./report.ts";
import { timeMarkup } from "./text.ts";

const HOUR_MS = 3_600_000;
const SLOT_NAMES: ReadonlyMap<number, string> = new Map([
  [1, "hour"],
  [6, "6 hours"],
  [24, "day"],
  [7 * 24, "week"],
]);
/** Rows of the table below alerts over time. */
const ROWS_MAX = 120;

/** How many logins got which score, by decade, with the threshold. */
export function scoresSection({ summary: { decades, threshold }, limit }: Report): Markup {
  const most = Math.max(0, ...decades);
  if (most === 0) return markup`<p>No login was scored.</p>`;
  const edge = (decade: number) => Number(`1e${decade - decades.length}`);
  const bins = decades.map((count, i) => ({ from: edge(i), to: edge(i + 1), count }));
  const isUsed = ({ from, to, count }: (typeof bins)[number]) =>
    count > 0 || (threshold !== null && threshold >= from && threshold < to);
  const shown = bins.slice(bins.findIndex(isUsed), bins.findLastIndex(isUsed) + 1);
  const text = ({ from, to }: (typeof bins)[number]) =>
    from === edge(0) ? `below ${scoreText(to)}` : `${scoreText(from)} to ${scoreText(to)}`;
  const at =
    threshold === null || threshold <= shown[0]!.from || threshold >= 1
      ? undefined
      : { value: threshold, label: `threshold ${scoreText(threshold)}` };
  return markup`<p>Low is odd; counts are logarithmic. ${thresholdText(threshold, limit)} Scores below
${scoreText(PRESENCE_SHARE)} are of logins that presence raised: it is a rule, and stands outside the budget.</p>
${barChart(
  "How many logins got which score",
  { label: "score", domain: [shown[0]!.from, shown.at(-1)!.to], kind: "log" },
  { label: "logins", domain: [0, most], kind: "counts" },
  shown.map((bin) => ({
    from: bin.from,
    to: bin.to,
    height: bin.count,
    title: `${text(bin)}: ${countText(bin.count)} logins`,
  })),
  { at },
)}
<details><summary>The scores as a table</summary>
${table(
  "Logins by score, the oddest first",
  ["score", "logins"],
  shown.map((bin) => [text(bin), countText(bin.count)]),
)}</details>`;
}

function thresholdText(threshold: number | null, limit: Report["limit"]): string {
  if ("threshold" in limit)
    return `The threshold is fixed: a login that scores below ${scoreText(limit.threshold)} is an alert.`;
  if (threshold === null)
    return "No threshold is in force at the end: nothing but presence raises alerts then.";
  return `The threshold in force at the end is ${scoreText(threshold)}: it moves with the budget, and a login below it that repeats an alert raises none.`;
}

/** Alerts by time and signal. */
export function overTimeSection({ overTime, period }: Report): Markup {
  if (overTime === undefined || overTime.slots.length === 0) return markup`<p>No alert was raised.</p>`;
  const { slotMs, slots } = overTime;
  const names: readonly string[] = SIGNALS;
  const bySlot = new Map<number, number[]>();
  for (const { startMs, signal, alerts } of slots) {
    const parts = bySlot.get(startMs) ?? SIGNALS.map(() => 0);
    const index = names.indexOf(signal);
    if (index >= 0) parts[index]! += alerts;
    bySlot.set(startMs, parts);
  }
  const stacks = [...bySlot].map(([startMs, parts]) => ({
    from: startMs,
    to: startMs + slotMs,
    parts,
    title: `from ${new Date(startMs).toISOString().slice(0, 16).replace("T", " ")}: ${SIGNALS.flatMap(
      (name, i) => (parts[i] === 0 ? [] : [`${name} ${countText(parts[i]!)}`]),
    ).join(", ")}`,
  }));
  const [first, last] = [stacks[0]!.from, stacks.at(-1)!.to];
  // The whole time that was read, unless the alerts would be a sliver of it.
  const isWhole = period !== undefined && period[1] - period[0] < SHARE_MIN * (last - first);
  const domain = isWhole
    ? ([Math.min(first, period[0]), Math.max(last, period[1])] as const)
    : ([first, last] as const);
  const most = Math.max(...stacks.map(({ parts }) => parts.reduce((sum, part) => sum + part, 0)));
  const rows = stacks
    .slice(0, ROWS_MAX)
    .map(({ from, parts }) => [timeMarkup(from), ...parts.map((part) => countText(part))]);
  const name = SLOT_NAMES.get(slotMs / HOUR_MS) ?? `${countText(slotMs / (24 * HOUR_MS))} days`;
  return markup`${stackedChart(
    `Alerts by ${name} and signal`,
    { label: `time (UTC), a bar for each ${name}`, domain, kind: "time" },
    { label: "alerts", domain: [0, most], kind: "whole" },
    SIGNALS,
    stacks,
  )}
<details><summary>The alerts over time as a table</summary>
${table(`Alerts by ${name} and signal; times without any are left out`, ["from (UTC)", ...SIGNALS], rows)}
${stacks.length > rows.length ? markup`<p>${countText(stacks.length - rows.length)} later ones are left out.</p>` : NOTHING}</details>`;
}

/** Alerts fill at least one part in so many of the drawing. */
const SHARE_MIN = 40;
