/**
 * Claim: with 10,000 incidents and 50 alerts a second the page is as smooth as with 100 incidents and none: no task of it takes more than
 * 50 ms, and the 99th percentile of its frames is at most half as long again, whether the list stands at its top or is scrolled.
 *
 *   npx node bench/page-load.ts [--incidents 10000] [--alerts 50] [--rounds 3] [--seconds 20]
 *
 * The real console over a feed in this process, in a real Chromium without a screen. Half of a round the list stands at its top, where new
 * incidents come in; in the other half it is scrolled, some thirty rows a second down and up again, where they wait. Of the alerts, half open an incident,
 * the rest go on with one, and a tenth are suppressed. The same page with 100 incidents, which it has to scroll, and no
 * alerts is the opponent, taken in turn.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import type { Browser } from "playwright-core";
import { openConsole } from "../src/console/console.ts";
import { IncidentFeed } from "../src/console/incident-feed.ts";
import { findingOf } from "../test/alerts/suppressed-findings.ts";
import { startChromium } from "../test/browser/chromium.ts";
import { until } from "../test/browser/console-page.ts";
import { engineOf, WELL } from "../test/console/console-stage.ts";
import { printTable } from "./table.ts";

const { values: options } = parseArgs({
  options: {
    incidents: { type: "string", default: "10000" },
    alerts: { type: "string", default: "50" },
    rounds: { type: "string", default: "3" },
    seconds: { type: "string", default: "20" },
  },
});
const INCIDENTS = Number(options.incidents);
const ALERTS_PER_SECOND = Number(options.alerts);
const ROUNDS = Number(options.rounds);
const HALF_MS = (Number(options.seconds) * 1000) / 2;
const OPPONENT_INCIDENTS = 100;
const GOAL_P99_RATIO = 1.5;
const SCROLL_PX_PER_FRAME = 20;
/** What the page did before it was there is not meant. */
const SETTLE_MS = 2000;

/** In the page: notes each frame's length and each long task, and scrolls with the frames while it is told to. */
const MEASURE = `
  globalThis.measured = { frames: [], tasks: [], scrolls: false };
  new PerformanceObserver((list) => measured.tasks.push(...list.getEntries().map(({ duration }) => duration)))
    .observe({ type: "longtask" });
  let before = performance.now();
  let step = ${SCROLL_PX_PER_FRAME};
  requestAnimationFrame(function frame(now) {
    measured.frames.push(now - before);
    before = now;
    if (measured.scrolls) {
      const at = scrollY;
      scrollBy(0, step);
      if (scrollY === at) step = -step;
    }
    requestAnimationFrame(frame);
  });
`;
const TAKE = `(() => {
  const { frames, tasks } = measured;
  measured.frames = [];
  measured.tasks = [];
  return { frames, tasks };
})()`;

type Measured = { readonly frames: readonly number[]; readonly tasks: readonly number[] };

function feedOf(incidents: number): IncidentFeed {
  const feed = new IncidentFeed();
  for (let i = 0; i < incidents; i++) feed.add(findingOf(`i${i}`, `a${i}`, { timeMs: i * 1000 }));
  return feed;
}

/** Raises alerts at a fixed rate for so long. */
async function raise(feed: IncidentFeed, prefix: string, perSecond: number, forMs: number): Promise<void> {
  const startedMs = performance.now();
  for (let i = 0; ; ) {
    const passedMs = performance.now() - startedMs;
    if (passedMs > forMs) return;
    if (i < (passedMs * perSecond) / 1000) {
      const incident = i % 2 === 0 ? `${prefix}${i}` : `i${(i * 7919) % INCIDENTS}`;
      feed.add(
        findingOf(incident, `${prefix}a${i}`, { isSuppressed: i % 10 === 0, count: i % 2 === 0 ? 1 : 2 + i }),
      );
      i++;
    } else await sleep(2);
  }
}

async function round(browser: Browser, incidents: number, perSecond: number) {
  const feed = feedOf(incidents);
  const served = await openConsole({
    host: "127.0.0.1",
    port: 0,
    feed,
    operations: WELL,
    engine: engineOf(),
    onBug: (error) => {
      throw error;
    },
  });
  const context = await browser.newContext({ viewport: { width: 1200, height: 850 } });
  const page = await context.newPage();
  await page.goto(served.url);
  const told = incidents.toLocaleString("en-US");
  await until(page, `document.querySelector(".filter .count")?.textContent === "${told}"`);
  await sleep(SETTLE_MS);
  await page.evaluate(MEASURE);
  await raise(feed, "top", perSecond, HALF_MS);
  const top = (await page.evaluate(TAKE)) as Measured;
  await page.evaluate("measured.scrolls = true");
  await raise(feed, "scrolled", perSecond, HALF_MS);
  const scrolled = (await page.evaluate(TAKE)) as Measured;
  const elements = Number(await page.locator("*").count());
  await context.close();
  await served.close();
  return { top, scrolled, elements };
}

function percentile(values: readonly number[], share: number): number {
  return values.toSorted((a, b) => a - b)[Math.floor(share * (values.length - 1))]!;
}

const closing: (() => unknown)[] = [];
const browser = await startChromium({ after: (close) => closing.push(close as () => unknown) });
const loaded: Awaited<ReturnType<typeof round>>[] = [];
const opponent: typeof loaded = [];
await round(browser, OPPONENT_INCIDENTS, 0);
for (let i = 0; i < ROUNDS; i++) {
  opponent.push(await round(browser, OPPONENT_INCIDENTS, 0));
  loaded.push(await round(browser, INCIDENTS, ALERTS_PER_SECOND));
}
for (const close of closing) await close();

for (const half of ["top", "scrolled"] as const) {
  const p99 = (rounds: typeof loaded) => rounds.map((one) => percentile(one[half].frames, 0.99));
  const longest = (rounds: typeof loaded) => rounds.map((one) => Math.max(0, ...one[half].tasks));
  printTable(`${INCIDENTS} incidents, ${ALERTS_PER_SECOND} alerts/s, ${half}`, [
    { name: "frame p50, ms", values: loaded.map((one) => percentile(one[half].frames, 0.5)) },
    {
      name: "frame p50 of the opponent, ms",
      values: opponent.map((one) => percentile(one[half].frames, 0.5)),
    },
    { name: "frame p99, ms", values: p99(loaded) },
    { name: "frame p99 of the opponent, ms", values: p99(opponent) },
    {
      name: "ratio of the p99",
      values: p99(loaded).map((ms, i) => ms / p99(opponent)[i]!),
      goal: { value: GOAL_P99_RATIO },
    },
    { name: "tasks above 50 ms", values: loaded.map((one) => one[half].tasks.length) },
    { name: "tasks above 50 ms of the opponent", values: opponent.map((one) => one[half].tasks.length) },
    { name: "longest task above 50 ms, ms", values: longest(loaded) },
    { name: "elements of the page", values: loaded.map(({ elements }) => elements) },
  ]);
}
process.exit(0);
