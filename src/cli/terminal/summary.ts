import type { SinkSummaries } from "../deliveries.ts";
import type { ResolutionCounts } from "../resolution.ts";
import { renderHistogram } from "./histogram.ts";
import { countText, durationText } from "./numbers.ts";
import { nameText, sentenceText } from "./outside-text.ts";
import { painted, type Screen, screenOf } from "./screen.ts";

/** Reasons and signals listed by name; the rest is summed up. */
const NAMED_MAX = 6;

/** What a run did: everything that `run --json` prints, and the same for a person. Counts but the first are since the state began. */
export type RunSummary = {
  /** Records read by this run. */
  readonly read: number;
  /** Records read by all runs; the sum of the next five. */
  readonly consumed: number;
  readonly scored: number;
  readonly evidence: number;
  readonly ignored: number;
  readonly rejected: number;
  readonly duplicate: number;
  readonly alerts: number;
  /** What epochs in the shadow would have raised, which is not among them. */
  readonly alertsShadow: number;
  /** Alerts that rules suppressed, which are not among them either. */
  readonly suppressed: number;
  readonly suppressedByRule: Readonly<Record<string, number>>;
  readonly incidents: number;
  /** Epochs adopted. */
  readonly epochs: number;
  /** Epochs that the gate did not let pass, and epochs taken back. */
  readonly epochsRejected: number;
  readonly rollBacks: number;
  /** Wall clock of this run. */
  readonly seconds: number;
  /** Records, whatever became of them, that this run read in a second. */
  readonly loginsPerSecond: number;
  /** True if a signal ended the run before its input did. */
  readonly stopped: boolean;
  readonly graph: { readonly entities: number; readonly links: number; readonly digest: string };
  readonly ignoredReasons: Readonly<Record<string, number>>;
  readonly rejectedReasons: Readonly<Record<string, number>>;
  readonly alertsBySignal: Readonly<Record<string, number>>;
  /** Scored logins by decade of score, the last 0.1 to 1; see `renderHistogram`. */
  readonly decades: readonly number[];
  /** The threshold in force at the end; null if there is none. */
  readonly threshold: number | null;
  /** What look-aside tables were asked. */
  readonly resolution: ResolutionCounts;
  /** What became of alerts that are sent elsewhere. */
  readonly sinks: SinkSummaries;
  /** One line for each thing written: where, and what. */
  readonly written: string[];
  /** Whatever else a person should know. */
  readonly notes: string[];
};

/** @returns the closing summary, lines joined by line breaks, none at the end */
export function renderSummary(summary: RunSummary, screen: Screen = screenOf(process.stdout)): string {
  const { graph, alerts, incidents, epochs } = summary;
  const speed = summary.read > 0 ? `, ${countText(summary.loginsPerSecond)} records/s` : "";
  const heading = (text: string) => painted(screen, "bold", text);
  const lines = [
    `${heading("Records")}  ${countText(summary.read)} read in ${timeText(summary.seconds)}${speed}`,
    ...inAllLines(summary).map(([name, text]) => `${heading(name)}${text}`),
    ...outcomeLines(summary),
    balanceLine(summary, screen),
    `${heading("Alerts")}   ${countText(alerts)} in ${counted(incidents, "incident")}${listed(summary.alertsBySignal)}`,
    ...(summary.suppressed > 0
      ? [
          `${heading("Rules")}    ${counted(summary.suppressed, "alert")} suppressed${listed(summary.suppressedByRule)}`,
        ]
      : []),
    ...(summary.alertsShadow > 0
      ? [
          `${heading("Shadow")}   ${counted(summary.alertsShadow, "alert")} that an epoch in the shadow would have raised`,
        ]
      : []),
    `${heading("Model")}    ${epochs === 0 ? "no epoch adopted" : `${counted(epochs, "epoch")} adopted`}${refusedText(summary)}`,
    `${heading("Graph")}    ${counted(graph.entities, "entity", "entities")}, ${counted(graph.links, "link")}, digest ${nameText(graph.digest)}`,
    `${heading("Scores")}   logins by score, the oddest first; bars grow with the logarithm`,
    ...renderHistogram(summary.decades, summary.threshold, {
      ...screen,
      columns: Math.max(1, screen.columns - 2),
    }).map(indented),
  ];
  if (summary.written.length > 0) lines.push(heading("Written"), ...summary.written.map(asLine));
  if (summary.notes.length > 0) lines.push(heading("Notes"), ...summary.notes.map(asLine));
  return lines.join("\n");
}

function refusedText({ epochsRejected, rollBacks }: RunSummary): string {
  const rejected = epochsRejected > 0 ? `, ${countText(epochsRejected)} rejected` : "";
  return rejected + (rollBacks > 0 ? `, ${countText(rollBacks)} taken back` : "");
}

function inAllLines({ read, consumed }: RunSummary): [heading: string, text: string][] {
  if (read === consumed) return [];
  if (read < consumed)
    return [["In all", `   ${countText(consumed)} with the runs before; so is what follows`]];
  // Only a worker can read what others then have to read again.
  return [
    [
      "Kept",
      `     ${countText(consumed)}, which follow; ${countText(read - consumed)} were not committed and are read again`,
    ],
  ];
}

function outcomeLines(summary: RunSummary): string[] {
  const rows = [
    ["scored", summary.scored, ""],
    ["evidence", summary.evidence, summary.evidence > 0 ? "  added to the graph, not scored" : ""],
    ["ignored", summary.ignored, listed(summary.ignoredReasons, "  ")],
    ["rejected", summary.rejected, listed(summary.rejectedReasons, "  ")],
    ["duplicate", summary.duplicate, ""],
  ] as const;
  const width = countText(summary.consumed).length;
  return rows.map(
    ([name, count, detail]) => `  ${name.padEnd(9)}  ${countText(count).padStart(width)}${detail}`,
  );
}

/** No record may vanish: said when it holds, shouted when it does not. */
function balanceLine(summary: RunSummary, screen: Screen): string {
  const { scored, evidence, ignored, rejected, duplicate, consumed } = summary;
  const sum = scored + evidence + ignored + rejected + duplicate;
  if (sum === consumed)
    return `  ${"together".padEnd(9)}  ${countText(sum)}  adds up: every record is in one of the five`;
  const difference = `${countText(Math.abs(consumed - sum))} ${sum < consumed ? "missing" : "too many"}`;
  return painted(
    screen,
    "red",
    `  DOES NOT ADD UP: the five are ${countText(sum)}, ${difference}; please report this`,
  );
}

/** `: presence 9, surprise 3`, the most frequent first; empty if there are none. */
function listed(counts: Readonly<Record<string, number>>, lead = ": "): string {
  const entries = Object.entries(counts).filter(([, count]) => count > 0);
  if (entries.length === 0) return "";
  entries.sort(([nameA, a], [nameB, b]) => b - a || (nameA < nameB ? -1 : 1));
  const named = entries.slice(0, NAMED_MAX).map(([name, count]) => `${nameText(name)} ${countText(count)}`);
  const rest = entries.slice(NAMED_MAX).reduce((sum, [, count]) => sum + count, 0);
  if (rest > 0) named.push(`other ${countText(rest)}`);
  return lead + named.join(", ");
}

function counted(count: number, one: string, many = `${one}s`): string {
  return `${countText(count)} ${count === 1 ? one : many}`;
}

/** Under a minute to a tenth: short runs are compared. */
function timeText(seconds: number): string {
  return seconds < 60 ? `${seconds.toFixed(1)} s` : durationText(seconds);
}

function asLine(text: string): string {
  return indented(sentenceText(text));
}

function indented(text: string): string {
  return `  ${text}`;
}
