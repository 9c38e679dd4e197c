import { type Status, status } from "./api.ts";
import { countText, h, timeText } from "./dom.ts";
import { ThresholdView } from "./threshold-view.ts";

const POLL_MS = 2000;
const OUTCOMES = ["scored", "evidence", "ignored", "rejected", "duplicate"] as const;

/** How the process is: rates, outcomes, graph, model, and the scores with the threshold. `signal` ends the polling. */
export async function healthView(signal: AbortSignal): Promise<HTMLElement> {
  const figures = h("dl", { class: "facts" });
  const thresholds = new ThresholdView();
  let last: { readonly atMs: number; readonly status: Status } | undefined;
  const poll = async (): Promise<void> => {
    const now = { atMs: performance.now(), status: await status() };
    figures.replaceChildren(...factsOf(now, last));
    thresholds.show(now.status);
    last = now;
  };
  await poll();
  const timer = setInterval(() => void poll().catch(() => {}), POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return h(
    "section",
    { "aria-labelledby": "health-title" },
    h("h2", { id: "health-title", tabindex: -1 }, "Health"),
    figures,
    thresholds.element,
  );
}

function factsOf(
  { atMs, status: now }: { readonly atMs: number; readonly status: Status },
  before: { readonly atMs: number; readonly status: Status } | undefined,
): HTMLElement[] {
  const { counts, graph, epoch, threshold, isReady, partitions, lag } = now;
  const rate =
    before === undefined
      ? "…"
      : `${countText(Math.round(((counts["consumed"]! - before.status.counts["consumed"]!) * 1000) / (atMs - before.atMs)))} records/s`;
  const rows: readonly (readonly [string, string])[] = [
    ["State", isReady ? "ready" : "not ready: the graph is being read or built"],
    ["Rate", rate],
    [
      "Records",
      `${countText(counts["consumed"]!)}: ${OUTCOMES.map((name) => `${name} ${countText(counts[name]!)}`).join(", ")}`,
    ],
    [
      "Alerts",
      `${countText(counts["alerts"]!)} in ${countText(counts["incidents"]!)} ${counts["incidents"] === 1 ? "incident" : "incidents"}, ${countText(counts["suppressed"]!)} suppressed by rules`,
    ],
    ["Partitions", partitions.length === 0 ? "none now" : partitions.join(", ")],
    ...(lag === null ? [] : [["Lag", lagText(lag)] as const]),
    ["Graph", `${countText(graph.entities)} accounts and hosts, ${countText(graph.links)} links`],
    ["Event time", `${timeText(graph.fromMs)} to ${timeText(graph.watermarkMs)}`],
    ["Model", epoch === null ? "no epoch yet" : `epoch ${epoch.number}, ${epoch.digest.slice(0, 12)}`],
    ["Threshold", threshold === null ? "none yet: the budget learns" : threshold.toExponential(2)],
    ["Version", now.version],
  ];
  return rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

function lagText({ records, seconds }: NonNullable<Status["lag"]>): string {
  if (records === 0) return "none: all is decided";
  return `${countText(records)} records, the oldest ${countText(Math.ceil(seconds))} s`;
}
