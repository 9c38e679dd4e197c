import { type Status, status } from "./api.ts";
import { countText, h, svg, timeText } from "./dom.ts";

const POLL_MS = 2000;
const BAR_WIDTH = 30;
const CHART_HEIGHT = 160;
const LABEL_ROOM = 18;
const OUTCOMES = ["scored", "evidence", "ignored", "rejected", "duplicate"] as const;

/** How the process is: rates, outcomes, graph, model, and the scores with the threshold. `signal` ends the polling. */
export async function healthView(signal: AbortSignal): Promise<HTMLElement> {
  const figures = h("dl", { class: "facts" });
  const chart = h("div", { class: "chart" });
  const wouldBe = h("output", { for: "threshold" });
  const slider = h("input", {
    id: "threshold",
    type: "range",
    min: 1,
    max: 19,
    step: 1,
    oninput: () => draw(),
  });
  let last: { readonly atMs: number; readonly status: Status } | undefined;
  let before: typeof last;
  const draw = (): void => {
    if (last === undefined) return;
    figures.replaceChildren(...factsOf(last, before));
    chart.replaceChildren(histogram(last.status, Number(slider.value)));
    wouldBe.textContent = belowText(last.status, Number(slider.value));
  };
  const poll = async (): Promise<void> => {
    const now = { atMs: performance.now(), status: await status() };
    before = last;
    last = now;
    if (before === undefined) slider.value = String(decadeOfThreshold(now.status) ?? 16);
    draw();
  };
  await poll();
  const timer = setInterval(() => void poll().catch(() => {}), POLL_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  return h(
    "section",
    { "aria-labelledby": "health-title" },
    h("h2", { id: "health-title", tabindex: -1 }, "Health"),
    figures,
    h("h3", {}, "Scores"),
    h("p", { class: "quiet" }, "Logins by score, the oddest left; bars grow with the logarithm."),
    chart,
    h(
      "p",
      {},
      h("label", { for: "threshold" }, "What another threshold would have looked at: "),
      slider,
      " ",
      wouldBe,
    ),
  );
}

function factsOf(
  { atMs, status: now }: { readonly atMs: number; readonly status: Status },
  before: { readonly atMs: number; readonly status: Status } | undefined,
): HTMLElement[] {
  const { counts, graph, epoch, threshold, isReady, partitions } = now;
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
    ["Graph", `${countText(graph.entities)} accounts and hosts, ${countText(graph.links)} links`],
    ["Event time", `${timeText(graph.fromMs)} to ${timeText(graph.watermarkMs)}`],
    ["Model", epoch === null ? "no epoch yet" : `epoch ${epoch.number}, ${epoch.digest.slice(0, 12)}`],
    ["Threshold", threshold === null ? "none yet: the budget learns" : threshold.toExponential(2)],
    ["Version", now.version],
  ];
  return rows.map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)));
}

/** Boundaries of the decades are powers of ten: that of place k is 1e(k - 20). */
function boundaryOf(place: number): string {
  return `1e${place - 20}`;
}

function decadeOfThreshold({ threshold }: Status): number | undefined {
  return threshold === null ? undefined : Math.max(1, Math.min(19, Math.ceil(Math.log10(threshold)) + 20));
}

function belowText({ decades, counts }: Status, place: number): string {
  const below = decades.slice(0, place).reduce((sum, count) => sum + count, 0);
  return `${countText(below)} of ${countText(counts["scored"]!)} scored logins lie below ${boundaryOf(place)}`;
}

function histogram({ decades, threshold }: Status, chosen: number): SVGElement {
  const first = Math.max(
    0,
    Math.min(
      decades.findIndex((count) => count > 0),
      chosen - 1,
      18,
    ),
  );
  const shown = decades.slice(first);
  const most = Math.log1p(Math.max(1, ...shown));
  const width = shown.length * BAR_WIDTH;
  const xOf = (place: number): number => (place - first) * BAR_WIDTH;
  const line = (x: number, text: string, kind: string): SVGElement[] => [
    svg("line", { x1: x, y1: 0, x2: x, y2: CHART_HEIGHT, class: kind }),
    svg("text", { x: x + 3, y: 12, class: kind }, text),
  ];
  const exact = threshold === null ? undefined : (Math.log10(threshold) + 20 - first) * BAR_WIDTH;
  return svg(
    "svg",
    {
      viewBox: `0 0 ${width + 60} ${CHART_HEIGHT + LABEL_ROOM}`,
      role: "img",
      class: "histogram",
      "aria-label": `Histogram of scores: ${shown.map((count, i) => `${count} below ${boundaryOf(first + i + 1)}`).join(", ")}`,
    },
    ...shown.map((count, i) => {
      const height = count === 0 ? 0 : Math.max(2, (Math.log1p(count) / most) * (CHART_HEIGHT - 24));
      return svg(
        "rect",
        {
          x: i * BAR_WIDTH + 2,
          y: CHART_HEIGHT - height,
          width: BAR_WIDTH - 4,
          height,
          class: first + i < chosen ? "bar below" : "bar",
        },
        svg("title", {}, `${countText(count)} below ${boundaryOf(first + i + 1)}`),
      );
    }),
    ...shown.flatMap((_, i) =>
      i % 2 === 0 ? [svg("text", { x: i * BAR_WIDTH, y: CHART_HEIGHT + 14 }, boundaryOf(first + i))] : [],
    ),
    ...(exact === undefined ? [] : line(exact, "in force", "in-force")),
    ...line(xOf(chosen), "", "chosen"),
  );
}
